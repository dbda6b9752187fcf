# Throughput over t as a share of k/c: a panel for each c and kind of times, a line for each w/c.
# t_max, past which X falls, is ringed.
load ARG0[1:strlen(ARG0) - strlen('peaks.gp')].'style.gp'
field(key) = system("sed -n 's/^# ".key.": //p' peaks.dat")
across = int(field('side by side'))
lines = int(field('lines'))
titles = system("sed -n 's/^# panel: //p' peaks.dat | tr ' \\n' '~ '")
panels = words(titles)
down = int(ceil(panels / real(across)))
panel_width = across > 1 ? 400 : 700
panel_height = 366
width = 90 + across * panel_width
head = 76
height = head + down * panel_height + 40
set terminal svg size width,height dynamic enhanced font 'Helvetica,16' background rgb 'white'
set output 'peaks.svg'
# Light to dark by w/c, and each with a marker of its own.
shades = '#56b4e9 #e07b00 #009e73 #cc79a7 #332288 #882255 #999933 #000000'
shade(i) = word(shades, (i - 1) % words(shades) + 1)
mark(i) = int(word('7 5 9 11 13 15', (i - 1) % 6 + 1))
spaces(text) = system("printf '%s' '".text."' | tr '~' ' '")
stats 'peaks.dat' using 1 nooutput name 't'
stats 'peaks.dat' using ($2 + $3) nooutput name 'x'
set multiplot
unset key
set logscale x
set xrange [t_min / 1.4:t_max * 1.4]
set yrange [0:(x_max > 1.05 ? x_max * 1.04 : 1.1)]
set format x '10^{%T}'
set ytics 0.2
set mxtics 10
do for [p = 1:panels] {
	column = (p - 1) % across
	row = (p - 1) / across
	set lmargin at screen (80 + column * panel_width) / real(width)
	set rmargin at screen (80 + (column + 1) * panel_width - 35) / real(width)
	set tmargin at screen 1 - (head + row * panel_height + 34) / real(height)
	set bmargin at screen 1 - (head + (row + 1) * panel_height - 44) / real(height)
	set title spaces(word(titles, p)) noenhanced offset 0,-0.6 font ',16'
	set ylabel (column == 0 ? 'X·c/k' : '') offset 1.5,0
	set format y (column == 0 ? '%g' : '') # all panels have the same axis
	set xlabel (p + across > panels ? 'thread limit t' : '') offset 0,0.4
	first = (p - 1) * lines
	plot for [i = 1:lines] 'peaks.dat' index first + i - 1 using 1:4 skip 1 with lines dt 3 lw 1.4 \
	         lc rgb shade(i) notitle, \
	     for [i = 1:lines] '' index first + i - 1 using 1:2 with lines lw 1.8 lc rgb shade(i) notitle, \
	     for [i = 1:lines] '' index first + i - 1 using 1:2:3 with yerrorbars pt mark(i) ps 0.9 lw 1.8 \
	         lc rgb shade(i) title columnheader(1), \
	     for [i = 1:lines] '' index first + i - 1 using 1:($5 == 1 ? $2 : 1/0) skip 1 with points pt 6 ps 2.4 \
	         lw 2 lc rgb '#111111' notitle
}
# One key for all, over the whole width.
ratios = system("sed -n 's/^\"w.c = \\(.*\\)\"$/\\1/p' peaks.dat")
set lmargin at screen 80.0 / width
set rmargin at screen 1 - 35.0 / width
set tmargin at screen 1 - 8.0 / height
set bmargin at screen 1 - 72.0 / height
unset title
unset xlabel
unset ylabel
unset tics
unset grid
unset logscale
set border 0
set xrange [0:1]
set yrange [0:1]
set key left top horizontal Left reverse samplen 2 width 1 maxrows 2
plot for [i = 1:lines] keyentry with linespoints pt mark(i) ps 0.9 lw 1.8 lc rgb shade(i) \
         title 'w/c = '.word(ratios, i), \
     keyentry with lines dt 3 lw 1.8 lc rgb model title 'min(k/c, t/w)', \
     keyentry with points pt 6 ps 2 lw 2 lc rgb '#111111' title 't_{max}', \
     NaN notitle
unset multiplot
