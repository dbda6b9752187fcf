# A plan's evidence: a panel for each y, a line for each series, over one x.
load ARG0[1:strlen(ARG0) - strlen('series.gp')].'style.gp'
x = system("sed -n 's/^# x: //p' series.dat")
panels = system("sed -n 's/^# y: //p' series.dat")
names = names_in('series.dat')
count = words(names)
categories = x eq 'arch'

# Over the architectures the series are something else, and take the colours as they come.
paint(i) = categories ? word(colours, i) : colour(names, i)
point(i) = categories ? int(word(full, i)) : marker(names, i)

labels(name) = name eq 'throughput' ? "throughput\n(requests/s)" : \
               name eq 'cpu' ? "server's CPU\n(µs/request)" : \
               name eq 'switches' ? "context switches\nper request" : \
               name eq 'memory' ? "memory of its own\n(PSS, MB)" : \
               name eq 'available' ? "memory of the machine\n(MemAvailable, MB)" : \
                                     "latency p99\n(ms)"
columns(name) = name eq 'throughput' ? 3 : name eq 'cpu' ? 5 : name eq 'switches' ? 6 : \
                name eq 'memory' ? 7 : name eq 'available' ? 8 : 9
abscissa = x eq 'connections' ? 'connections N' : x eq 'threads' ? 'thread limit t' : \
           x eq 'idle' ? 'idle connections beside the active ones' : \
           'wall time of a request, w (ms)'

# No 0 on a logarithmic axis: it has a place left of the least value.
stats 'series.dat' using ($1 > 0 ? $1 : 1/0) skip 0 nooutput name 'some'
stats 'series.dat' using 1 nooutput name 'all'
zero = some_min / 4
at_x(value) = categories || value > 0 ? value : zero
left = all_min > 0 ? all_min : zero

key_rows = ceil(count / 2.0)
key_height = count > 1 ? 26 * key_rows + 16 : 10
bottom_height = categories ? 125 : 80
panel_height = words(panels) == 1 ? 420 : 250
height = key_height + panel_height * words(panels) + bottom_height
set terminal svg size 1000,height dynamic enhanced font 'Helvetica,17' background rgb 'white'
set output 'series.svg'
set multiplot
set lmargin at screen 0.15
set rmargin at screen 0.97
if (categories) {
	set xrange [-0.6:all_max + 0.6]
} else {
	set logscale x
	set xrange [left / 1.25:all_max * 1.25]
}
set errorbars 0 # so that what has no interval shows none
set grid xtics ytics lc rgb '#dddddd' lw 0.8 lt 1
do for [p = 1:words(panels)] {
	top = 1 - real(key_height + (p - 1) * panel_height + 14) / height
	low = 1 - real(key_height + p * panel_height - 14) / height
	set tmargin at screen top
	set bmargin at screen low
	c = columns(word(panels, p))
	set ylabel labels(word(panels, p)) offset 0.5,0
	stats 'series.dat' using c nooutput name 'y'
	log_y = (word(panels, p) eq 'latency' || word(panels, p) eq 'memory') && y_min > 0
	if (log_y) { set logscale y; set yrange [*:*] } else { unset logscale y; set yrange [0:*] }
	if (word(panels, p) eq 'available') { set yrange [*<0:*] } # noise, where it took nothing
	set offsets 0, 0, graph 0.06, 0
	last = p == words(panels)
	set xlabel (last && !categories ? abscissa : '')
	set format x (last ? '%.0f' : '')
	unset key
	if (p == 1 && count > 1) {
		set key at screen 0.15, screen 1 - 6.0 / height left top horizontal Left reverse \
		    noenhanced samplen 3 spacing 1.1 width 2 maxcols 2 maxrows key_rows
	}
	if (categories) {
		set xtics rotate by (last ? 25 : 0) right noenhanced font ',14' scale 0
	} else {
		set xtics norotate
		if (all_max / left < 200) {
			do for [d = 0:5] {
				set xtics add (sprintf(last ? '%d' : '', 2 * 10**d) 2 * 10**d, \
				               sprintf(last ? '%d' : '', 5 * 10**d) 5 * 10**d)
			}
		}
		if (last && all_min <= 0) { set xtics add ('0' zero) }
	}
	half(value) = c == 3 ? value : 0
	if (categories && last) {
		plot for [i = 1:count] 'series.dat' index i - 1 using 1:c:(half($4)):xtic(2) \
		         with yerrorbars lc rgb paint(i) pt point(i) ps 1.1 lw 2 title columnheader(1)
	}
	if (categories && !last) {
		plot for [i = 1:count] 'series.dat' index i - 1 using 1:c:(half($4)) \
		         with yerrorbars lc rgb paint(i) pt point(i) ps 1.1 lw 2 title columnheader(1)
	}
	if (!categories) {
		plot for [i = 1:count] 'series.dat' index i - 1 using (at_x($1)):c:(half($4)) \
		         with yerrorbars lc rgb paint(i) pt point(i) ps 1.1 lw 2 notitle, \
		     for [i = 1:count] '' index i - 1 using (at_x($1)):c with linespoints \
		         lc rgb paint(i) pt point(i) dt dashes(names, i) ps 1.1 lw 2 \
		         title columnheader(1)
	}
}
unset multiplot
