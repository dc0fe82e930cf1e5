"""Hostile bytes for one agent, port by port, while another peer calls it: what Scripts/hostile runs.

Only the standard library. Each attack prints what was sent, how much memory the agent had at its highest, and how those
who are honest fared meanwhile: the other peer that calls, an application of the agent's own, a command.
"""

import argparse
import http.client
import os
import random
import resource
import socket
import ssl
import struct
import sys
import threading
import time

MIB = 1024 * 1024


class Failed(Exception):
    """What must hold did not."""


def resident(process):
    """Bytes of resident memory."""
    with open(f"/proc/{process}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def parts(process):
    """The same in words: the process's own, and of files (its program, mostly)."""
    with open(f"/proc/{process}/status") as file:
        facts = dict(line.split(":", 1) for line in file)
    own, files = (int(facts[name].split()[0]) / 1024 for name in ("RssAnon", "RssFile"))
    return f"own {own:.1f}, of files {files:.1f}"


def open_files(process):
    return len(os.listdir(f"/proc/{process}/fd"))


class Watch(threading.Thread):
    """Follows the agent's memory until it is stopped."""

    def __init__(self, process):
        super().__init__(daemon=True)
        self.process, self.highest, self.most_files, self.over = process, 0, 0, False
        self.start()

    def run(self):
        while not self.over:
            self.highest = max(self.highest, resident(self.process))
            self.most_files = max(self.most_files, open_files(self.process))
            time.sleep(0.05)

    def take(self):
        """The highest since the last time."""
        highest, self.highest = max(self.highest, resident(self.process)), 0
        files, self.most_files = self.most_files, 0
        return highest, files


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(None)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", int(self.timeout), 0))
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", int(self.timeout), 0))
        self.sock.connect(self.path)


class Asker(threading.Thread):
    """Somebody honest, who asks one thing again and again and must be answered."""

    def __init__(self, who, address, path, pause, keeps_connection):
        super().__init__(daemon=True)
        self.who, self.address, self.path, self.pause = who, address, path, pause
        self.keeps_connection, self.connection = keeps_connection, None
        self.lock, self.count, self.failures, self.slowest = threading.Lock(), 0, [], 0.0
        self.start()

    def run(self):
        while True:
            began = time.monotonic()
            failure = self.ask()
            took = time.monotonic() - began
            with self.lock:
                self.count += 1
                self.slowest = max(self.slowest, took)
                if failure:
                    self.failures.append(failure)
            time.sleep(max(0.0, self.pause - took))

    def ask(self):
        """What went wrong, if anything."""
        try:
            if not self.connection:
                is_path = isinstance(self.address, str)
                self.connection = (UnixConnection(self.address, 15) if is_path
                                   else http.client.HTTPConnection(*self.address, timeout=15))
            self.connection.request("POST", self.path, body=b"{}")
            answer = self.connection.getresponse()
            text = answer.read()
            if not self.keeps_connection:
                self.let_go()
            return None if answer.status == 200 else f"{answer.status} {text[:200]!r}"
        except (OSError, http.client.HTTPException) as error:
            self.let_go()
            return f"{type(error).__name__}: {error}"

    def let_go(self):
        self.connection.close()
        self.connection = None

    def take(self):
        """What happened since the last time."""
        with self.lock:
            result = self.count, self.failures, self.slowest
            self.count, self.failures, self.slowest = 0, [], 0.0
        return result


class Port:
    """A port or a Unix socket of the victim."""

    def __init__(self, name, address, is_http):
        self.name, self.address, self.is_http = name, address, is_http

    def connect(self, patience=0.9):
        """A connection, or None where the other side takes none."""
        family = socket.AF_UNIX if isinstance(self.address, str) else socket.AF_INET
        made = socket.socket(family, socket.SOCK_STREAM)
        if family == socket.AF_UNIX:
            # Without blocking, connect says at once that the queue is full; this waits for a place in it.
            made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", 0, int(patience * 1e6)))
        else:
            made.settimeout(patience)
        try:
            made.connect(self.address)
        except OSError:
            made.close()
            return None
        return made


def is_over(connection):
    """Whether the other side has ended it."""
    connection.settimeout(0)
    try:
        while connection.recv(65536):
            pass
        return True
    except (BlockingIOError, ssl.SSLWantReadError):
        return False
    except OSError:
        return True


def close_all(connections):
    for connection in connections:
        connection.close()


def wait_for_end(connections, seconds, what):
    """All of them must be ended by the other side in time. Answers how long that took."""
    began, left = time.monotonic(), list(connections)
    while left:
        left = [connection for connection in left if not is_over(connection)]
        if not left:
            break
        if time.monotonic() - began > seconds:
            close_all(connections)
            raise Failed(f"{what}: {len(left)} of {len(connections)} connections live after {seconds} s")
        time.sleep(0.05)
    close_all(connections)
    return time.monotonic() - began


def send(connection, data):
    try:
        connection.sendall(data)
    except OSError:
        pass


# MARK: Attacks. Each answers what it did, in words.


def silence(port, options):
    """Connections that say nothing; they are held for a while, then let go."""
    held, refused, end = [], 0, time.monotonic() + options.rush
    while len(held) + refused < options.connections and time.monotonic() < end:
        connection = port.connect(patience=0.2)
        if connection:
            held.append(connection)
        else:
            refused += 1
    time.sleep(options.hold)
    lives = sum(1 for connection in held if not is_over(connection))
    close_all(held)
    return f"{len(held)} silent connections ({options.connections - len(held)} not let in, {lives} alive after {options.hold} s)"


def noise(port, options):
    """Random bytes; their seed is printed by the caller."""
    some = []
    for _ in range(options.some):
        connection = port.connect()
        if connection:
            send(connection, options.random.randbytes(1 + options.random.randrange(8192)))
            some.append(connection)
    took = wait_for_end(some, 15, f"random bytes at the {port.name}")
    return f"{len(some)} times random bytes, all ended after {took:.1f} s"


def halves(port, options):
    """What begins well and does not go on."""
    if port.is_http:
        beginnings = [b"P", b"POST /invoke/B/echo HTTP/1.1\r\nHost: x", b"POST /v1/status HTTP/1.1\r\n"]
    else:
        hello = bytes.fromhex("1603010200010001fc0303") + bytes(32)
        beginnings = [b"\x16", b"\x16\x03\x01\x02\x00", hello]
    some = []
    for number in range(options.some):
        connection = port.connect()
        if connection:
            send(connection, beginnings[number % len(beginnings)])
            some.append(connection)
    took = wait_for_end(some, 12, f"half messages at the {port.name}")
    return f"{len(some)} half messages, all ended after {took:.1f} s"


def lengths(port, options):
    """Lengths that nobody may believe."""
    if port.is_http:
        heads = [b"Content-Length: 4611686018427387904", b"Content-Length: 99999999999999999999999",
                 b"X-Long: " + b"x" * 200_000, b"Content-Length: 1048577"]
        path = b"/v1/status" if port.name == "control socket" else b"/invoke/B/echo"
        messages = [b"POST " + path + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n" + head + b"\r\n\r\nx" for head in heads]
    else:
        messages = [b"\x16\x03\x01\xff\xff" + bytes(70_000), b"\x17\x03\x03\xff\xff" + bytes(70_000),
                    b"\x16\x03\x01\x40\x00\x01\xff\xff\xff" + bytes(16_380)]
    some = []
    for number in range(options.some):
        connection = port.connect()
        if connection:
            send(connection, messages[number % len(messages)])
            some.append(connection)
    took = wait_for_end(some, 15, f"huge lengths at the {port.name}")
    return f"{len(some)} huge lengths, all ended after {took:.1f} s"


def bodies(port, options):
    """Bodies that are promised and do not come; at the gateway they may be silent for a minute."""
    path = b"/v1/status" if port.name == "control socket" else b"/invoke/B/echo"
    heads = [b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nx", b"Content-Length: 1048576\r\n\r\nx",
             b"Transfer-Encoding: chunked\r\n\r\n10000\r\nx"]
    some = []
    for number in range(options.some):
        connection = port.connect()
        if connection:
            send(connection, b"POST " + path + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n" + heads[number % len(heads)])
            some.append(connection)
    took = wait_for_end(some, 70, f"bodies that do not come at the {port.name}")
    return f"{len(some)} bodies that do not come, all ended after {took:.1f} s"


def slowness(port, options):
    """A byte every now and then: the whole head must be there in 10 s."""
    text = b"POST /invoke/B/echo HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: " + b"x" * 100
    if not port.is_http:
        text = b"\x16\x03\x01\x20\x00" + bytes(200)
    some = [connection for connection in (port.connect() for _ in range(min(options.some, 50))) if connection]
    began = time.monotonic()
    left = list(some)
    for byte in text:
        for connection in left:
            send(connection, bytes([byte]))
        time.sleep(0.25)
        left = [connection for connection in left if not is_over(connection)]
        if not left:
            break
        if time.monotonic() - began > 16:
            close_all(some)
            raise Failed(f"{len(left)} slow senders at the {port.name} live after 16 s")
    close_all(some)
    return f"{len(some)} slow senders, all ended after {time.monotonic() - began:.1f} s"


def frames(port, options):
    """Behind TLS, with a certificate of a stranger's own: half frames, huge lengths, noise."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.set_alpn_protocols(["comity/1"])
    context.load_cert_chain(options.certificate, options.key)
    header = lambda length, kind: length.to_bytes(4, "big") + bytes([kind, 0]) + bytes(4)
    messages = [b"\x00", header(9, 8)[:7], header(16 * 1024, 8) + bytes(100), header(0xFFFFFFFF, 8),
                header(64 * 1024, 2) + bytes(64 * 1024), options.random.randbytes(4096)]
    some, refused = [], 0
    for number in range(options.some):
        plain = port.connect()
        try:
            secured = context.wrap_socket(plain)
            secured.sendall(messages[number % len(messages)])
            some.append(secured)
        except (OSError, AttributeError):
            refused += 1
    took = wait_for_end(some, 20, "frames of a stranger")
    return f"{len(some)} bad frames behind TLS ({refused} not let in), all ended after {took:.1f} s"


def report(name, words, watch, askers, options):
    highest, files = watch.take()
    print(f"  {name:<15} {words}\n  {'':<15} memory {highest / MIB:.1f} MiB at most, {files} files")
    taken = [(asker.who, *asker.take()) for asker in askers]
    print(f"  {'':<15} " + "; ".join(f"{who} {count} times, the slowest {slowest * 1000:.0f} ms"
                                  for who, count, _, slowest in taken), flush=True)
    for who, _, failures, _ in taken:
        if failures:
            raise Failed(f"{who}: {len(failures)} failed, such as {failures[:3]}")
    if highest > options.memory * MIB:
        raise Failed(f"{highest / MIB:.1f} MiB of memory; at most {options.memory} are allowed")


def run(options):
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    host = lambda text: (text.rsplit(":", 1)[0].strip("[]"), int(text.rsplit(":", 1)[1]))
    ports = [Port("link port", host(options.link), False), Port("gateway port", host(options.gateway), True),
             Port("gateway socket", options.gateway_socket, True), Port("control socket", options.control_socket, True)]
    askers = [Asker("the peer called", host(options.caller), "/invoke/A/echo", 0.05, True),
              Asker("an application here", host(options.gateway), "/invoke/B/echo", 0.25, False),
              Asker("a command", options.control_socket, "/v1/status", 0.5, False)]
    time.sleep(3)
    watch = Watch(options.process)
    for asker in askers:
        asker.take()
    start = resident(options.process)
    print(f"  at the start    memory {start / MIB:.1f} MiB ({parts(options.process)}); seed {options.seed}", flush=True)
    for port in ports:
        if options.port and options.port != port.name:
            continue
        attacks = [noise, halves, lengths, slowness, silence, bodies if port.is_http else frames]
        for attack in attacks:
            if options.only and attack.__name__ not in options.only.split(","):
                continue
            report(port.name, attack(port, options), watch, askers, options)
    time.sleep(options.rest)
    end = resident(options.process)
    print(f"  {options.rest} s later     memory {end / MIB:.1f} MiB ({parts(options.process)}), {(end - start) / MIB:+.1f}", flush=True)
    report("afterwards", "nothing", watch, askers, options)
    if end - start > options.growth * MIB:
        raise Failed(f"{(end - start) / MIB:.1f} MiB were not given back; at most {options.growth} may be kept")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("process", type=int, help="process id of the victim")
    parser.add_argument("--link", required=True, help="HOST:PORT of its link port")
    parser.add_argument("--gateway", required=True, help="HOST:PORT of its gateway")
    parser.add_argument("--gateway-socket", required=True, help="path")
    parser.add_argument("--control-socket", required=True, help="path")
    parser.add_argument("--caller", required=True, help="HOST:PORT of the gateway of the peer that calls meanwhile")
    parser.add_argument("--certificate", required=True, help="a stranger's certificate, PEM")
    parser.add_argument("--key", required=True, help="its key, PEM")
    parser.add_argument("--connections", type=int, default=10_000, help="silent ones, for each port")
    parser.add_argument("--some", type=int, default=300, help="connections of the other attacks")
    parser.add_argument("--hold", type=int, default=10, help="seconds for which silent connections are held")
    parser.add_argument("--rush", type=int, default=60, help="seconds in which the silent ones must be let in")
    parser.add_argument("--rest", type=int, default=60, help="seconds after which memory must be given back")
    parser.add_argument("--memory", type=int, default=128, help="MiB that the victim may have at any time")
    parser.add_argument("--growth", type=int, default=8, help="MiB more than at the start that it may keep")
    parser.add_argument("--only", help="attacks, comma separated: noise,halves,lengths,slowness,silence,frames,bodies")
    parser.add_argument("--port", help="only this one: link port, gateway port, gateway socket, control socket")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    options = parser.parse_args()
    options.random = random.Random(options.seed)
    try:
        run(options)
    except Failed as failure:
        sys.exit(f"hostile: {failure}")


main()
