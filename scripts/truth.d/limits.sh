# shellcheck shell=bash
# shellcheck disable=SC2004,SC2016,SC2034,SC2154 # variables that other files declare; those of jq
# Whether cwt tune finds the t that a dense sweep finds: the least with 95 % of the plateau, which is
# the mean of what is within 2 % of the highest.

# server, c and w in ms
limits_points=(
	'gunicorn-gthread 5 50' 'gunicorn-gthread 10 100' 'gunicorn-gthread 5 100'
	'apache-worker 5 50' 'apache-worker 2 50' 'apache-worker 5 100'
	'pool 1 5' 'pool 1 20' 'pool 2 10' 'pool 2 50' 'pool 2 200' 'pool 5 20' 'pool 5 100' 'pool 5 250'
	'pool 10 40' 'pool 10 100' 'pool 10 150' 'pool 20 100' 'pool 20 400'
)

# The t to measure: those around t* = w/c, in steps of 4 % or one, and 2, 3 and 4 t*. Work of 10 ms
# and more is longer than a time slice; it makes convoys (docs/does-the-model-hold.md), which move the
# crossing up: there t goes on in steps of 8 %.
dense_threads() {
	awk -v c="$1" -v w="$2" 'BEGIN {
		s = w / c; step = s / 25 > 1 ? s / 25 : 1
		for (t = int(s * 0.7 + 0.5); t <= s * 1.3 + step; t += step) if (t >= 1) printf "%d, ", t + 0.5
		for (; c >= 10 && t < 4 * s; t += t * 0.08 > 1 ? t * 0.08 : 1)
			if (int(t + 0.5) != int(2 * s + 0.5) && int(t + 0.5) != int(3 * s + 0.5) &&
			    int(t + 0.5) != int(4 * s + 0.5))
				printf "%d, ", t + 0.5
		printf "%d, %d, %d", 2 * s + 0.5, 3 * s + 0.5, 4 * s + 0.5 }'
}

# Measures server, c, w over the t around t*, three runs each; what an earlier call has, stays.
sweep_densely() {
	local name=$1 server=$2 c=$3 w=$4
	[[ ! -e $runs/$name/summary.json ]] || return 0
	rm -rf "${runs:?}/$name"
	cat >"$folder/$name.ini" <<-INI
		[plan]
		name = $name
		repetitions = 3
		repetitions-most = 3
		tries = 1
		windows = 16
		window = 125ms
		requests = 13
		[case dense]
		arch = $server
		cpu = ${c}ms
		wall = ${w}ms
		threads = $(dense_threads "$c" "$w")
	INI
	build/cwt sweep "$folder/$name.ini" --out "$runs/$name" >"$folder/sweep.log" 2>&1 ||
		{ cat "$folder/sweep.log" >&2 && fail "the sweep of $name has failed"; }
	build/cwt check "$runs/$name" >/dev/null 2>&1 || true # a verdict on the model is not asked for
}

# Throughput at each t as "T MEAN", of the good runs and those that only Little's law rejects: these
# have a bunch of replies more or less at their edges. So a run's parts are weighed by a triangle.
dense_curve() {
	grep -v '^#' "$runs/$1/runs.csv" | awk -F, '
		NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
		$at["rejected"] == "-" || $at["rejected"] == "little" {
			parts = split($at["window_requests"], part, ";")
			requests = weights = 0
			for (i = 1; i <= parts; i++) {
				weight = i - 0.5 < parts - i + 0.5 ? i - 0.5 : parts - i + 0.5
				requests += weight * part[i]; weights += weight
			}
			sum[$at["threads"]] += requests / weights * parts * 1e9 / $at["window_ns"]
			count[$at["threads"]]++
		}
		END { for (t in sum) print t, sum[t] / count[t] }' | sort -n
}

# The least t with 95 % of the plateau, by lines between the t measured.
dense_t() {
	dense_curve "$1" | awk '
		{ t[NR] = $1; x[NR] = $2; if ($2 > most) most = $2 }
		END {
			for (i = 1; i <= NR; i++) if (x[i] >= 0.98 * most) { sum += x[i]; count++ }
			enough = 0.95 * sum / count
			for (i = 1; x[i] < enough; i++) continue
			at = i == 1 ? t[1] : t[i - 1] + (t[i] - t[i - 1]) * (enough - x[i - 1]) / (x[i] - x[i - 1])
			print at == int(at) ? at : int(at) + 1
		}'
}

# Prints what tune found beside what the sweep shows: limits_row NAME C W
limits_row() {
	say "$(figures '.interval as [$low, $high]
		| [.target, $c, $w, $t, .threads, "\($low) to \($high)",
		   (if $low <= $t and $t <= $high then "yes" else "no" end),
		   (($high - $low) / 2 / .threads | percent(0)), .bound, (.took_s | fixed(0)),
		   "\(.runs), \(.rejected)"] | map(tostring) | cells' \
		--argjson c "$2" --argjson w "$3" --argjson t "$(dense_t "$1")" "$runs/$1.json")"
}

# Measures gunicorn on two processors, where the threads of one interpreter have no more than one.
measure_lock() {
	local status=0
	progress 'limits, gunicorn-gthread on two processors'
	build/cwt tune gunicorn-gthread --cpu 5ms --wall 50ms --server-cpus 0,1 --json \
		>"$runs/lock.json" 2>"$folder/cwt.err" || status=$?
	((status != 2)) || return 0 # said above
	((status == 0 || status == 3)) || { cat "$folder/cwt.err" >&2 && fail "cwt tune: $status"; }
	say 'On both processors, one of which it shares with the generator, c = 5 ms, w = 50 ms:' ''
	table server 't*' 't, tune' interval 'plateau /s' bound
	say "$(figures '.interval as [$low, $high]
		| [.target, (.t_star | fixed(1)), .threads, "\($low) to \($high)",
		   (.plateau_rps | fixed(0)), .bound] | map(tostring) | cells' "$runs/lock.json")" ''
}

measure_limits() {
	local point server c w name status
	heading 'The thread limit' "cwt tune against a sweep of all t around t*, the plateau beyond it \
included; t is the least with 95 % of the plateau, on processor 0."
	table server 'c, ms' 'w, ms' 't, dense' 't, tune' interval 'has it' '± width' bound 'took, s' 'runs, rejected'
	for point in "${limits_points[@]}"; do
		read -r server c w <<<"$point"
		name=limits-$server-$c-$w
		status=0
		build/cwt tune "$server" --cpu 0 --wall 0 --least 2 --most 2 --budget 1s >/dev/null \
			2>"$folder/cwt.err" || status=$?
		if ((status == 2)); then
			say "$(cat "$folder/cwt.err"): left out." ''
			continue
		fi
		progress "limits, $server, c = $c ms, w = $w ms: dense"
		sweep_densely "$name" "$server" "$c" "$w"
		progress "limits, $server, c = $c ms, w = $w ms: tune"
		status=0
		build/cwt tune "$server" --cpu "${c}ms" --wall "${w}ms" --json >"$runs/$name.json" \
			2>"$folder/cwt.err" || status=$?
		((status == 0 || status == 3)) || { cat "$folder/cwt.err" >&2 && fail "cwt tune: $status"; }
		limits_row "$name" "$c" "$w"
	done
	say ''
	measure_lock
}
