"""A server of others, good or bad: target_server.py PORT MODE THREADS PIDS. Each of THREADS at once
sleeps 10 ms for a request. It writes its process id to the file PIDS, a line each time it starts.

good   as it should be
deaf   does not heed SIGTERM
frail  ends with status 3 at its 40th request
wrong  answers 500, but for its first request"""

import itertools
import os
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

port, mode, threads, pids = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
turns = threading.Semaphore(threads)
requests = itertools.count(1)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        number = next(requests)
        if mode == "frail" and number == 40:
            os._exit(3)
        with turns:
            time.sleep(0.01)
        self.send_response(500 if mode == "wrong" and number > 1 else 200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"hi")

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True


with open(pids, "a", encoding="ascii") as file:
    file.write(f"{os.getpid()}\n")
if mode == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
Server(("127.0.0.1", port), Handler).serve_forever()
