# shellcheck shell=bash
# shellcheck disable=SC2004,SC2016,SC2034,SC2154 # variables that other files declare; those of jq
# Coordinated omission (Tene, "How NOT to Measure Latency", 2013): in a stall, a closed loop sends
# nothing, so the requests that users would have sent are not in its latencies.
#
# What an open loop of r/s over N connections has to find: a stall of S in each period of T, replies
# in d otherwise. A request that is meant to go at u into the stall waits for its rest, S - u, then
# for those before it, of which N are answered in each d: r·u·d/N, and for its own answer, d. Of all
# requests a share of x/T is meant to go in the first x of a stall, so quantile q is the latency of
# u = (1-q)·T, and d beyond S/T.

omission_rate=1000 omission_connections=64
omission_stall_s=1 omission_every_s=10 omission_delay_s=0.001

# The definition of theory(q) in ns for jq.
omission_theory="def theory(\$q): ((1 - \$q) * $omission_every_s) as \$u
	| 1e9 * ($omission_delay_s + if \$u >= $omission_stall_s then 0 else $omission_stall_s
	- \$u * (1 - $omission_rate * $omission_delay_s / $omission_connections) end);"

# Prints a row of cwt load: omission_row TITLE NAME LATENCY
omission_row() {
	say "$(figures '.[$latency] as $l | [ $title, (.throughput_rps | fixed(0)),
		($l | .mean, .p50, .p99, .p999, .max | . / 1e6 | fixed(1)), .verdict ] | cells' \
		--arg title "$1" --arg latency "$3" "$runs/$2.json")"
}

# Adds a curve to the figure's data: omission_curve TITLE <POINTS
omission_curve() {
	[[ ! -s $folder/omission.dat ]] || printf '\n\n' >>"$folder/omission.dat"
	printf '"%s"\n' "$1" >>"$folder/omission.dat"
	cat >>"$folder/omission.dat"
}

# Runs cwt load and adds what it draws first as a curve: omission_load TITLE NAME LATENCY OPTION...
# Without gnuplot it leaves the data all the same, and no figure.
omission_load() {
	progress "omission, $1"
	run "$2" "${url[backend]}/delay/1ms" --connections "$omission_connections" \
		--duration "${omission_s}s" --plot "$folder/curve.svg" "${@:4}"
	omission_row "$1" "$2" "$3"
	sed -n -e '1d' -e '/^$/q' -e p "$folder/curve.dat" | omission_curve "$1"
}

omission_wrk() {
	progress 'omission, wrk'
	taskset -c 1 wrk -t1 "-c$omission_connections" "-d${omission_s}s" --timeout 10s \
		-s scripts/truth.d/wrk.lua "${url[backend]}/delay/1ms" >"$runs/omission-wrk.txt"
	say "$(awk '/^summary/ {
		printf "| wrk | %.0f | %.1f | %.1f | %.1f | %.1f | %.1f | – |", $2 / $3 * 1e6,
			$4 / 1e3, $5 / 1e3, $6 / 1e3, $7 / 1e3, $8 / 1e3
	}' "$runs/omission-wrk.txt")"
	sed -n 's/^point //p' "$runs/omission-wrk.txt" | omission_curve 'wrk'
}

measure_omission() {
	local open="open loop, $omission_rate/s"
	heading Omission "cwt-backend answers in 1 ms, and nothing for $omission_stall_s s of every \
$omission_every_s s; runs of $omission_s s with $omission_connections connections; latencies in ms, \
those of the open loop from the intended time. Theory is the open loop's. wrk 4.1 makes up for what \
it takes for omitted: it adds shorter ones to each latency that is above twice the mean."
	table generator 'requests/s' mean p50 p99 'p99.9' max verdict
	start backend cwt-backend --stall "${omission_stall_s}s" --every "${omission_every_s}s"
	say "$(figures "$omission_theory"'[ "theory", ($rate | fixed(0)), "–",
		(theory(0.5, 0.99, 0.999, 1) / 1e6 | fixed(1)), "–" ] | cells' \
		--null-input --argjson rate "$omission_rate")"
	figures "$omission_theory"'range(0; 40 * ($n | log10) + 1)
		| ([pow(10; . / 40), $n] | min) as $inverse | (1 - 1 / $inverse)
		| "\(100 * .) \($inverse) \(theory(.))"' \
		--null-input --argjson n $((omission_rate * omission_s)) | omission_curve theory
	omission_load "$open" omission-open latency_intended_ns --rate "$omission_rate"
	omission_load 'closed loop' omission-closed latency_ns
	if installed wrk; then
		omission_wrk
	fi
	stop backend
	say ''
	[[ -n $out ]] || return 0
	cp "$folder/omission.dat" "$out/omission.dat"
	if command -v gnuplot >/dev/null; then
		gnuplot -c scripts/plots/omission.gp "$out/omission.dat" "$out/omission.svg" \
			"A server that stalls for $omission_stall_s s in every $omission_every_s s"
		say '![Latency over the percentile](omission.svg)' ''
	else
		say 'gnuplot is not installed (scripts/setup bench): the figure is left out.' ''
	fi
}
