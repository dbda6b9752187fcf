# A keep-alive as long as a run's, and no worker that is taken for hung in a long request.
keepalive = 3600
timeout = 0
graceful_timeout = 2
backlog = 2048
worker_connections = 20000
