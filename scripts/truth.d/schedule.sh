# shellcheck shell=bash
# shellcheck disable=SC2004,SC2016,SC2034,SC2154 # variables that other files declare; those of jq
# Whether an open loop sends what was asked for, and when it was meant to go. A Poisson process
# makes more or fewer arrivals than its rate in any one window, so what was achieved is compared
# with what was scheduled.

measure_schedule() {
	local rate arrivals i reports
	heading 'Schedule' "Open loop against cwt-server with one event loop; medians of $repeats \
runs of $schedule_s s. Start lag: how long after its intended time a request was sent although a \
connection was free."
	table 'asked /s' arrivals 'scheduled /s' 'achieved /s' 'of the scheduled' \
		'start lag p50, us' 'p99, us' 'CPU/request, us' 'CPU without spin' spin valid
	start loop cwt-server --arch loop
	for rate in 1000 2000 5000 10000 20000; do
		for arrivals in constant poisson; do
			reports=()
			for ((i = 1; i <= repeats; i++)); do
				progress "schedule, $rate/s $arrivals, run $i of $repeats"
				run "schedule-$rate-$arrivals-$i" "${url[loop]}/" --rate "$rate" \
					--arrivals "$arrivals" --duration "${schedule_s}s" --seed "$i"
				reports+=("$runs/schedule-$rate-$arrivals-$i.json")
			done
			say "$(figures '[
				(.[0].rate_rps | fixed(0)), .[0].settings.arrivals,
				(map(.scheduled_rps) | median | fixed(1)),
				(map(.throughput_rps) | median | fixed(1)),
				(map(.throughput_rps / .scheduled_rps) | median | percent(3)),
				(map(.start_lag_p50_ns) | median | us | fixed(2)),
				(map(.start_lag_p99_ns) | median | us | fixed(2)),
				(map(.client_cpu_ns_per_request) | median | us | fixed(1)),
				(map(.client_busy) | median | percent(0)),
				(map(.client_spin) | median | percent(0)),
				verdicts] | cells' -s "${reports[@]}")"
		done
	done
	say ''
	stop loop
}
