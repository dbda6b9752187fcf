# shellcheck shell=bash
# shellcheck disable=SC2004,SC2016,SC2034,SC2154 # variables that other files declare; those of jq
# Whether cwt tune finds the t that a dense sweep finds: the least with 95 % of the plateau, which is
# what 2, 3 and 4 times t* = w/c reach in the mean.

# server, c and w in ms
limits_points=(
	'pool 1 5' 'pool 1 20' 'pool 2 10' 'pool 2 50' 'pool 2 200' 'pool 5 20' 'pool 5 100' 'pool 5 250'
	'pool 10 40' 'pool 10 150' 'pool 20 100' 'pool 20 400'
	'gunicorn-gthread 5 50' 'gunicorn-gthread 10 100' 'gunicorn-gthread 5 100'
	'apache-worker 5 50' 'apache-worker 2 50' 'apache-worker 5 100'
)

# Measures server, c, w over the t around t*, three runs each.
sweep_densely() {
	local name=$1 server=$2 c=$3 w=$4 t list
	list=$(awk -v s=$((w * 1000 / c)) 'BEGIN {
		s /= 1000; step = s / 25 > 1 ? s / 25 : 1
		for (t = int(s * 0.7 + 0.5); t <= s * 1.3 + step; t += step) if (t >= 1) printf "%d, ", t + 0.5
		printf "%d, %d, %d", 2 * s + 0.5, 3 * s + 0.5, 4 * s + 0.5 }')
	cat >"$folder/$name.ini" <<-INI
		[plan]
		name = $name
		repetitions = 3
		repetitions-most = 3
		window = 2s
		requests = 300
		[case dense]
		arch = $server
		cpu = ${c}ms
		wall = ${w}ms
		threads = $list
	INI
	rm -rf "${runs:?}/$name"
	build/cwt sweep "$folder/$name.ini" --out "$runs/$name" >"$folder/sweep.log" 2>&1 ||
		{ cat "$folder/sweep.log" >&2 && fail "the sweep of $name has failed"; }
	build/cwt check "$runs/$name" >/dev/null 2>&1 || true # a verdict on the model is not asked for
}

measure_limits() {
	local point server c w name status
	heading 'The thread limit' "cwt tune against a sweep of all t around t*, the plateau beyond it \
included; t is the least with 95 % of the plateau."
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
		say "$(figures --argjson s "$(awk "BEGIN { print $w / $c }")" \
			--slurpfile dense "$runs/$name/summary.json" '
			([$dense[0].points[] | select(.valid_runs > 0) | {t: .threads, x: .measured_rps}]
				| sort_by(.t)) as $curve
			| ([$curve[] | select(.t >= 1.9 * $s) | .x] | add / length) as $plateau
			| ([$curve[] | select(.x >= 0.95 * $plateau)][0].t) as $t
			| .interval as [$low, $high]
			| [.target, "'"$c"'", "'"$w"'", "\($t)", "\(.threads)", "\($low)…\($high)",
			   (if $low <= $t and $t <= $high then "yes" else "no" end),
			   (($high - $low) / 2 / .threads | percent(0)), .bound, (.took_s | fixed(0)),
			   "\(.runs), \(.rejected)"] | cells' "$runs/$name.json")"
	done
	say ''
}
