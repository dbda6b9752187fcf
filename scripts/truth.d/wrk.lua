-- wrk's latencies in full: a summary (requests, run time, mean, p50, p99, p99.9, max; times in us),
-- and points of the curve (percentile, 1/(1-q), ns) as scripts/plots/omission.gp reads them.
function done(summary, latency, requests)
	io.write(string.format("summary %d %d %.1f %d %d %d %d\n", summary.requests, summary.duration,
		latency.mean, latency:percentile(50), latency:percentile(99), latency:percentile(99.9),
		latency.max))
	local i = 0
	repeat
		local inverse = math.min(10 ^ (i / 40), summary.requests)
		local percentile = 100 * (1 - 1 / inverse)
		io.write(string.format("point %.10g %.10g %d\n", percentile, inverse,
			1000 * latency:percentile(percentile)))
		i = i + 1
	until inverse >= summary.requests
end
