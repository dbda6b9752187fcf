# Throughput over the thread limit: both bounds, the closed network, the points.
load ARG0[1:strlen(ARG0) - strlen('threads.gp')].'style.gp'
set terminal svg size 900,600 dynamic enhanced font 'Helvetica,18' background rgb 'white'
set output 'threads.svg'
stats 'threads-model.dat' using 3 nooutput name 'bound'
stats 'threads.dat' using 1 nooutput name 't'
name(kind) = system("sed -n 's/^# ".kind.": //p' threads.dat")
set xlabel 'thread limit t'
set ylabel 'throughput (requests/s)'
# Over decades of t, those of few threads would lie on each other.
if (t_max > 200 * t_min) {
	set logscale x
	set format x '10^{%T}'
	set xrange [t_min / 1.4:t_max * 1.4]
} else {
	set xrange [0:t_max * 1.04]
}
set yrange [0:bound_max * 1.22]
set key bottom right samplen 3 spacing 1.15 opaque
plot 'threads-model.dat' using 1:($2 <= bound_max * 1.2 ? $2 : 1/0) with lines ls 4 title 'thread bound t/w', \
     '' using 1:3 with lines ls 3 title 'CPU bound k/c (evented)', \
     '' using 1:4 with lines ls 5 lw 2.2 title 'closed network', \
     '' using 1:5 every ::2 with lines lc rgb evented lw 3 \
         title (strlen(name('evented')) ? 'evented ('.name('evented').'), measured' : ''), \
     'threads.dat' using 1:2:3 with yerrorbars ls 1 \
         title 'threaded ('.name('threaded').'), measured'
