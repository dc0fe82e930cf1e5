"""A steady load, and what became of each of its calls: for Scripts/failover, Scripts/growth and Scripts/soak.

    load.py serve NAME                     a service: prints its port, answers each request with 200 bytes and its name
    load.py run URL --out FILE [...]       calls at a rate; a line for each call: see Call
    load.py idle URL --connections N       connections that say nothing, until it is ended; prints when all are there
    load.py count FILE [--from S] [--to S] how many calls were due in that time, and what became of them, as JSON

Calls are due at fixed times, whatever became of those before (an open loop): one that waits for a free connection is late,
and its time counts from when it was due. Requests are HTTP/1.1 on connections that stay open.
"""

import argparse
import asyncio
import json
import re
import sys
import time
import urllib.parse

BODY = b"x" * 200
HEAD_MAX = 64 * 1024
LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)\r\n", re.IGNORECASE)


async def read_message(reader):
    """The first line, the fields and the body of a message; None when the other side has closed."""
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    fields = dict(line.lower().split(": ", 1) for line in lines if ": " in line)
    return first, fields, await reader.readexactly(int(fields.get("content-length", 0)))


class Service(asyncio.Protocol):
    """One connection of the service. It shares the machine with what is measured, so it does as little as it can."""

    def __init__(self, answer):
        self.answer, self.begun, self.body = answer, b"", 0

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        rest, answers = self.begun + data, 0
        while True:
            part = min(self.body, len(rest))
            rest, self.body = rest[part:], self.body - part
            end = rest.find(b"\r\n\r\n")
            if self.body or end < 0:
                break
            length = LENGTH.search(rest, 0, end + 2)
            self.body = int(length[1]) if length else 0
            rest, answers = rest[end + 4 :], answers + 1
        self.begun = rest
        if len(rest) > HEAD_MAX:
            return self.transport.abort()
        if answers:
            self.transport.write(self.answer * answers)


async def serve(name):
    answer = b"HTTP/1.1 200 OK\r\nserved-by: %s\r\ncontent-length: 200\r\n\r\n" % name.encode() + BODY
    server = await asyncio.get_running_loop().create_server(lambda: Service(answer), "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


class Load:
    """Calls at fixed times over a number of connections. A line of the log is: when it was due and how long it took (ms since
    the load began, ms), the status (0: the connection failed), the refusal's code or -, the correlation ID or -, who served it."""

    def __init__(self, options):
        self.options = options
        target = urllib.parse.urlsplit(options.url)
        self.address = target.hostname, target.port
        fields = "".join(f"{field}\r\n" for field in options.header)
        body = "content-length: 0\r\n" if options.method != "GET" else ""
        self.request = f"{options.method} {target.path} HTTP/1.1\r\nhost: {target.netloc}\r\n{fields}{body}\r\n".encode()
        self.next = 0
        self.log = open(options.out, "w", buffering=1 << 16)

    async def run(self):
        self.began = time.monotonic()
        # For whoever brings about a fault meanwhile: time 0 of the log.
        print(f"{time.time():.3f}", flush=True)
        await asyncio.gather(*(self.connection() for _ in range(self.options.connections)))
        self.log.close()

    async def connection(self):
        reader = writer = None
        while True:
            due = self.next / self.options.rate if self.options.rate else time.monotonic() - self.began
            if due >= self.options.seconds:
                break
            self.next += 1
            await asyncio.sleep(max(0, due - (time.monotonic() - self.began)))
            try:
                if writer is None:
                    reader, writer = await asyncio.open_connection(*self.address, limit=HEAD_MAX)
                writer.write(self.request)
                first, fields, body = await asyncio.wait_for(read_message(reader), self.options.patience)
                status = int(first.split()[1])
            except (asyncio.IncompleteReadError, asyncio.TimeoutError, OSError):
                status, fields = 0, {}
                if writer is not None:
                    writer.close()
                writer = None
            took = time.monotonic() - self.began - due
            code, call = fields.get("comity-refusal", "-"), fields.get("comity-correlation-id", "-")
            by = fields.get("served-by", "-")
            self.log.write(f"{due * 1000:.1f} {took * 1000:.1f} {status} {code} {call} {by}\n")
        if writer is not None:
            writer.close()


async def idle(options):
    target = urllib.parse.urlsplit(options.url)
    connections = [await asyncio.open_connection(target.hostname, target.port) for _ in range(options.connections)]
    print(len(connections), flush=True)
    await asyncio.Event().wait()


def count(options):
    """Of the calls that were due in a span of time: how many, how many were answered by 200, the others by status and code, when
    the last of those was over, who served them, and the longest and the 99th percentile of the answered in ms."""
    took, lost, last, served = [], {}, None, {}
    with open(options.file) as lines:
        for line in lines:
            due, time_taken, status, code, _, by = line.split()
            due, time_taken = float(due), float(time_taken)
            if not options.start * 1000 <= due < options.end * 1000:
                continue
            if status == "200":
                took.append(time_taken)
                served[by] = served.get(by, 0) + 1
            else:
                lost[f"{status} {code}"] = lost.get(f"{status} {code}", 0) + 1
                last = max(last or 0, due + time_taken)
    took.sort()
    json.dump(
        {
            "calls": len(took) + sum(lost.values()),
            "answered": len(took),
            "lost": sum(lost.values()),
            "lost by": lost,
            "served by": served,
            "last lost at s": None if last is None else round(last / 1000, 3),
            "p50 ms": took[len(took) // 2] if took else None,
            "p99 ms": took[len(took) * 99 // 100] if took else None,
            "most ms": took[-1] if took else None,
        },
        sys.stdout,
    )
    print()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve").add_argument("name")
    run = commands.add_parser("run")
    run.add_argument("url")
    run.add_argument("--out", required=True)
    run.add_argument("--rate", type=float, default=0, help="calls a second; 0: as fast as they are answered")
    run.add_argument("--seconds", type=float, default=10)
    run.add_argument("--connections", type=int, default=32)
    run.add_argument("--method", default="GET")
    run.add_argument("--header", action="append", default=[])
    run.add_argument("--patience", type=float, default=15, help="s until a call counts as lost whatever the agent does")
    silent = commands.add_parser("idle")
    silent.add_argument("url")
    silent.add_argument("--connections", type=int, required=True)
    counting = commands.add_parser("count")
    counting.add_argument("file")
    counting.add_argument("--from", dest="start", type=float, default=0)
    counting.add_argument("--to", dest="end", type=float, default=1e9)
    options = parser.parse_args()
    if options.command == "serve":
        asyncio.run(serve(options.name))
    elif options.command == "idle":
        asyncio.run(idle(options))
    elif options.command == "run":
        asyncio.run(Load(options).run())
    else:
        count(options)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
