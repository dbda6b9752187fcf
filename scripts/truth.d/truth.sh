# shellcheck shell=bash
# shellcheck disable=SC2004,SC2016,SC2034,SC2154 # variables that other files declare; those of jq
# Latencies against a delay that is known: a constant one, whose every quantile is itself, and an
# exponential one of mean m, whose quantile q is -ln(1-q)·m. Each tool's run becomes an object of
# its p50 and p99 in us; a tool that gives an interval says whether the truth is in it.

truth_tools=(epoll uring wrk h2load hey)
truth_rate=5000

# How long a run is, in s: the p99 of exponential delays of 50 ms is known to 1 % from no fewer than a
# few hundred thousand requests, all runs of a tool together.
truth_long_s=10

# Prints the object of one of the latencies of a report: of_report LATENCY FILE
of_report() {
	jq --arg latency "$1" '.[$latency] as $l | { rps: .throughput_rps, p50: ($l.p50 / 1000),
		p99: ($l.p99 / 1000), verdict,
		interval: ($l.interval | map_values(map(. / 1000))) }' "$2"
}

# cwt load, an open loop: with_cwt ENGINE NAME URL
with_cwt() {
	run "$2" "$3" --engine "$1" --rate "$truth_rate" --connections 1024 --seed "$i" \
		--duration "${run_s}s"
	of_report latency_sent_ns "$runs/$2.json"
}

with_epoll() {
	with_cwt epoll "$1" "$2"
}

with_uring() {
	with_cwt uring "$1" "$2"
}

# The others are closed loops, with as many connections as make about the same load.

with_wrk() {
	taskset -c 1 wrk -t1 "-c$3" "-d${run_s}s" -s scripts/truth.d/wrk.lua "$2" >"$runs/$1.txt"
	awk '/^summary/ { print $2, $3, $5, $6 }' "$runs/$1.txt" | jq -R 'split(" ") | map(tonumber)
		| { rps: (.[0] / .[1] * 1e6), p50: .[2], p99: .[3] }'
}

# Prints the object of the latencies on stdin, in us, one a line.
of_latencies() {
	sort -g | figures "[inputs | tonumber] | { rps: (length / $run_s), p50: quantile(0.5),
		p99: quantile(0.99) }" --null-input --raw-input
}

with_h2load() {
	taskset -c 1 h2load --h1 -t1 "-c$3" "-D$run_s" "--log-file=$folder/h2load.log" "$2" \
		>"$runs/$1.txt"
	cut -f 3 "$folder/h2load.log" | of_latencies
	rm "$folder/h2load.log"
}

with_hey() {
	taskset -c 1 hey -cpus 1 -z "${run_s}s" -c "$3" -o csv "$2" >"$folder/hey.csv"
	awk -F , 'NR > 1 { print $1 * 1e6 }' "$folder/hey.csv" | of_latencies
}

# Runs the tools one after the other, each first in its turn, so that what the machine does meanwhile
# meets all of them alike, and leaves their objects in $folder/TOOL: truth_runs DELAY-US DISTRIBUTION
# CONNECTIONS TOOL...
truth_runs() {
	local delay_us=$1 distribution=$2 connections=$3 tools=("${@:4}") i k tool run_s=$truth_s
	[[ $delay_us-$distribution != 50000-exponential ]] || run_s=$truth_long_s
	for tool in "${tools[@]}"; do
		: >"$folder/$tool"
	done
	for ((i = 1; i <= repeats; i++)); do
		for ((k = 0; k < ${#tools[@]}; k++)); do
			tool=${tools[(i + k) % ${#tools[@]}]}
			progress "truth, $delay_us us $distribution, $tool, run $i of $repeats"
			"with_$tool" "truth-$delay_us-$distribution-$tool-$i" \
				"${url[backend]}/delay/${delay_us}us?dist=$distribution" \
				"$connections" >>"$folder/$tool"
		done
	done
}

# Prints the row of a tool: truth_row TOOL DELAY-US DISTRIBUTION
truth_row() {
	say "$(figures '
		def truth($q): if $distribution == "constant" then $delay
			else -((1 - $q) | log) * $delay end;
		def held($name; $q): if .[0].interval == null then "–" else
			"\(map(select(.interval[$name][0] <= truth($q) and truth($q) <= .interval[$name][1]))
				| length) of \(length)" end;
		[ "\($delay) us \($distribution)", $tool, (map(.rps) | median | fixed(0)),
		(map(.p50) | median | fixed(0)), (map(.p50 - truth(0.5)) | median | signed(0)),
		held("p50"; 0.5),
		(map(.p99) | median | fixed(0)), (map(.p99 - truth(0.99)) | median | signed(0)),
		held("p99"; 0.99),
		(if .[0].verdict then verdicts else "–" end) ] | cells' \
		-s --arg tool "$1" --arg distribution "$3" --argjson delay "$2" "$folder/$1")"
}

measure_truth() {
	local delay_us distribution tool tools=() connections i
	heading 'Truth' "cwt-backend with a delay that it is told; medians of $repeats runs of \
$truth_s s ($truth_long_s s where the delay is exponential and 50 ms), in us, which alternate between the tools. Engines epoll and uring: cwt load, open loop, \
$truth_rate/s, latencies from the send; intended: those of the runs of epoll from the intended time, \
which is wrk2's idea; the others: closed loops of as many connections as make about that. The responder \
never sleeps (--busy), so that its delays are exact to some us; an error holds the way there and \
back, and the client's waking up. wrk 4.1 adds latencies to those that it has measured, where it \
takes some for omitted; that shows where delays differ. The error of an exponential delay's p99 \
scatters by chance, in one run of 10,000 requests by 10 % of the mean (50,000: by 4.5 %); the interval is there to \
tell, and by its definition misses the truth in one run of twenty. hey gives latencies in steps of \
100 us."
	for tool in "${truth_tools[@]}"; do
		[[ $tool != epoll && $tool != uring ]] && ! installed "$tool" || tools+=("$tool")
	done
	table delay tool 'requests/s' p50 error 'interval holds it' p99 error 'interval holds it' valid
	start backend cwt-backend --busy --connections 2000
	for delay_us in 500 5000 50000; do
		connections=$((truth_rate * delay_us / 1000000))
		((connections > 1)) || connections=1
		for distribution in constant exponential; do
			truth_runs "$delay_us" "$distribution" "$connections" "${tools[@]}"
			for ((i = 1; i <= repeats; i++)); do
				of_report latency_intended_ns \
					"$runs/truth-$delay_us-$distribution-epoll-$i.json"
			done >"$folder/intended"
			for tool in intended "${tools[@]}"; do
				truth_row "$tool" "$delay_us" "$distribution"
			done
		done
	done
	say ''
	stop backend
}
