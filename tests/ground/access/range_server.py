"""A web server that answers requests for ranges of bytes, or refuses to, as some do."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def served(data, *, ranges=True, length=True):
    """Serve bytes under an address, and note how many were asked for in each request."""
    requests = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_HEAD(self):
            self.answer(200, data, {"Accept-Ranges": "bytes"} if ranges else {}, body=False)

        def do_GET(self):
            wanted = self.headers.get("Range")
            if not ranges or wanted is None:
                requests.append(len(data))
                self.answer(200, data, {})
                return
            first, last = (int(number) for number in wanted.removeprefix("bytes=").split("-"))
            part = data[first : last + 1]
            requests.append(len(part))
            self.answer(206, part, {"Content-Range": f"bytes {first}-{last}/{len(data)}"})

        def answer(self, status, content, headers, *, body=True):
            self.send_response(status if "scene" in self.path else 404)
            size = {"Content-Length": str(len(content))} if length else {"Connection": "close"}
            for name, value in {**headers, **size, "ETag": '"1"'}.items():
                self.send_header(name, value)
            self.end_headers()
            if body:
                self.wfile.write(content)

        def log_message(self, *arguments):
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, request, client_address):
            """Clients hang up in the middle: nobody needs to read of it."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/scene.bf", requests
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
