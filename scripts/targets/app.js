'use strict';
// The app for Node.js: each request spends CWT_WORK_NS of CPU time, then waits for CWT_WAIT_US, which
// is a call of the backend CWT_UPSTREAM on a connection that is kept.

const http = require('http');

const workUs = Number(process.env.CWT_WORK_NS) / 1000;
const waitUs = Number(process.env.CWT_WAIT_US);
const [upstreamHost, upstreamPort] = process.env.CWT_UPSTREAM.split(':');
const [host, port] = process.env.CWT_ADDRESS.split(':');
const agent = new http.Agent({ keepAlive: true, maxSockets: Infinity });
const body = 'hello, world\n';

// Of all threads of the process: those besides this one sleep.
function cpuUs() {
	const used = process.cpuUsage();
	return used.user + used.system;
}

function work() {
	const end = cpuUs() + workUs;
	while (cpuUs() < end);
}

function reply(response) {
	response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': body.length });
	response.end(body);
}

function fail(response) {
	response.writeHead(502, { 'Content-Length': 0 });
	response.end();
}

function call(response) {
	const path = `/delay/${waitUs}us`;
	http.get({ host: upstreamHost, port: upstreamPort, path, agent }, (answer) => {
		answer.resume();
		answer.on('end', () => reply(response));
	}).on('error', () => fail(response));
}

const server = http.createServer((request, response) => {
	if (workUs > 0)
		work();
	if (waitUs > 0)
		call(response);
	else
		reply(response);
});
server.keepAliveTimeout = 3600 * 1000;
server.requestTimeout = 0;
server.listen({ host, port, backlog: 4096 });
process.on('SIGTERM', () => process.exit(0));
