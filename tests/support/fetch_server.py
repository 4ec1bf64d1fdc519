#!/usr/bin/env python3
"""Serves the files of a folder as badly as the first part of the path says, for tests of fetch.

fetch_server.py FOLDER: port.txt says where, log.txt has a line a request ("GET /drop/big.json bytes=1000-"). A file goes by
the last part of the path, whatever stands between:

    /plain/..     as it should be      /drop/..      1000 bytes a connection      /slow/..   1000 bytes a 20th of a second
    /wrong/..     with a wrong byte    /redirect/..  to /plain/..                 /long/..   followed by a further byte, endlessly
    /norange/..   from its beginning   /busy/..      503, then as it should be    /loop/..   redirected to itself
    /norange-drop/..  from its beginning, 1000 bytes a connection
"""
import http.server
import os
import re
import socket
import sys
import time
from pathlib import Path

FOLDER = Path(sys.argv[1])
PIECE = 1000
busy = set()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        with open(FOLDER / "log.txt", "a") as log:
            log.write(f"GET {self.path} {self.headers.get('Range', '')}\n")
        manner, name = self.path.split("/")[1], self.path.split("/")[-1]
        self.close_connection = True
        if manner in ("redirect", "loop"):
            return self.redirect("/plain/" + name if manner == "redirect" else self.path)
        if manner == "busy" and self.path not in busy:
            busy.add(self.path)
            return self.send_error(503)
        if not (FOLDER / name).is_file():
            return self.send_error(404)
        content = (FOLDER / name).read_bytes()
        if manner == "wrong":
            content = content[: len(content) // 2] + b"!" + content[len(content) // 2 + 1 :]
        self.answer(manner, content)

    def redirect(self, to):
        self.send_response(302)
        self.send_header("Location", to)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def answer(self, manner, content):
        begin = 0
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if asked and not manner.startswith("norange"):
            begin = int(asked[1])
            if begin >= len(content):
                return self.send_error(416)
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        rest = content[begin:]
        if manner != "long":
            self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        try:
            self.send(manner, rest)
        except OSError:
            pass  # the client has gone

    def send(self, manner, rest):
        if manner.endswith("drop"):
            self.wfile.write(rest[:PIECE])
            self.connection.shutdown(socket.SHUT_RDWR)
        elif manner == "slow":
            for at in range(0, len(rest), PIECE):
                self.wfile.write(rest[at : at + PIECE])
                time.sleep(0.05)
        elif manner == "long":
            self.wfile.write(rest)
            while True:
                self.wfile.write(b"x" * PIECE)
        else:
            self.wfile.write(rest)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
(FOLDER / "port.new").write_text(str(server.server_port))
os.rename(FOLDER / "port.new", FOLDER / "port.txt")
server.serve_forever()
