"""What Scripts/streams drives: a service with long bodies, and the small calls that go on beside them.

    streaming.py serve                        prints its port, serves until it is ended
    streaming.py small URL SECONDS            small calls one after the other; prints count, p50 and p99 in ms
"""

import asyncio
import http.client
import sys
import time
import urllib.parse

PIECE = bytes(256 * 1024)


async def serve_one(reader, writer):
    """GET /small: 200 bytes. GET /long/N: N bytes. PUT /long: counts, and answers with the count."""
    try:
        while line := await reader.readline():
            method, path, _ = line.decode().split()
            fields = {}
            while (field := await reader.readline()) not in (b"\r\n", b""):
                name, value = field.decode().split(":", 1)
                fields[name.lower()] = value.strip()
            received, left = 0, int(fields.get("content-length", 0))
            while left:
                piece = await reader.read(min(left, len(PIECE)))
                if not piece:
                    return
                left -= len(piece)
                received += len(piece)
            if path.startswith("/long/"):
                left = int(path.split("/")[2])
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % left)
                while left:
                    writer.write(PIECE[:left])
                    left -= min(left, len(PIECE))
                    await writer.drain()
            else:
                body = b"x" * 200 if path == "/small" else b"%d" % received
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
                await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


async def serve():
    server = await asyncio.start_server(serve_one, "127.0.0.1", 0, limit=1 << 20)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def small(url, seconds):
    """One small call after the other, with a pause, so that waiting is measured and not throughput."""
    target = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(target.netloc, timeout=20)
    took = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.monotonic()
        connection.request("GET", target.path)
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200 or len(body) != 200:
            sys.exit(f"a small call was answered {answer.status} with {len(body)} bytes")
        took.append(time.monotonic() - began)
        time.sleep(0.002)
    took.sort()
    print(len(took), f"{took[len(took) // 2] * 1000:.2f}", f"{took[len(took) * 99 // 100] * 1000:.2f}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        asyncio.run(serve())
    elif sys.argv[1:2] == ["small"] and len(sys.argv) == 4:
        small(sys.argv[2], float(sys.argv[3]))
    else:
        sys.exit(__doc__)
