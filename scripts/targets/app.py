"""The app for WSGI servers: each request spends CWT_WORK_NS of its thread's CPU time, then waits for
CWT_WAIT_US, which is a call of the backend CWT_UPSTREAM on a connection that its thread keeps."""

import http.client
import os
import threading
import time

WORK_NS = int(os.environ["CWT_WORK_NS"])
WAIT_US = int(os.environ["CWT_WAIT_US"])
UPSTREAM = os.environ["CWT_UPSTREAM"]
BODY = b"hello, world\n"

local = threading.local()


def work():
    end = time.thread_time_ns() + WORK_NS
    while time.thread_time_ns() < end:
        pass


def call():
    for attempt in range(2):  # a kept connection may have been closed meanwhile
        if attempt > 0 or not hasattr(local, "backend"):
            local.backend = http.client.HTTPConnection(UPSTREAM)
        try:
            local.backend.request("GET", f"/delay/{WAIT_US}us")
            local.backend.getresponse().read()
            return
        except (http.client.HTTPException, OSError):
            if attempt > 0:
                raise


def app(environ, start_response):
    if WORK_NS > 0:
        work()
    if WAIT_US > 0:
        call()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(BODY)))])
    return [BODY]
