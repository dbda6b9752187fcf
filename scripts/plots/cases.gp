# Each case: predicted and measured throughput above, their ratio and its tolerance below.
load ARG0[1:strlen(ARG0) - strlen('cases.gp')].'style.gp'
names = names_in('cases.dat')
count = words(names)
key_rows = ceil((count + 1) / 2.0)
key_height = 30 + 26 * key_rows
height = 600 + key_height
set terminal svg size 1000,height dynamic enhanced font 'Helvetica,17' background rgb 'white'
set output 'cases.svg'
stats 'cases.dat' index 0 using 1 nooutput name 'row'
stats 'cases.dat' index 1:count using ($2 < $4 ? $2 : $4) skip 1 nooutput name 'value'
stats 'cases.dat' index 1:count using ($3 > $4 ? $3 : $4) skip 1 nooutput name 'top'
stats 'cases.dat' index 1:count using 6 skip 1 nooutput name 'ratio'
set xrange [-0.6:row_max + 0.6]
set lmargin at screen 0.115
set rmargin at screen 0.98
set multiplot
at_y(pixels) = 1 - pixels / real(height)
set tmargin at screen at_y(key_height)
set bmargin at screen at_y(key_height + 290)
set logscale y
set format y '10^{%T}'
set format x ''
set xtics scale 0 format ''
unset xtics
set ylabel 'throughput (requests/s)'
set key at screen 0.115, at_y(8) left top horizontal Left reverse noenhanced maxcols 2 maxrows key_rows width 1 \
    samplen 2 spacing 1.1
set yrange [10**floor(log10(value_min)):top_max * 2]
plot 'cases.dat' index 1:count using 1:3 with points pt 2 ps 1.5 lw 2 lc rgb model \
         title 'predicted (calibrated)', \
     for [i = 1:count] '' index i using 1:4 with points pt marker(names, i) ps 1.1 lw 2 \
         lc rgb colour(names, i) title columnheader(1)
set tmargin at screen at_y(key_height + 310)
set bmargin at screen at_y(height - 80)
unset logscale y
set format y '%g'
set ylabel "measured /\npredicted"
# Ten percent to either side, or as far as the points are.
margin = 0.06 * (ratio_max - ratio_min)
least = ratio_min - margin < 0.90 ? ratio_min - margin : 0.90
most = ratio_max + margin > 1.10 ? ratio_max + margin : 1.10
set yrange [least:most]
if (most - least < 0.25) { set ytics 0.05 } else { set ytics autofreq }
set xtics scale 0 norangelimit font ',13'
unset key
plot 'cases.dat' index 0 using 1:(1.0):(0.48):3:xtic(2) with boxxyerror fs solid noborder lc rgb band notitle, \
     1 ls 3 lw 1 notitle, \
     for [i = 1:count] 'cases.dat' index i using 1:6:7 skip 1 with yerrorbars pt marker(names, i) \
         ps 1.1 lw 2 lc rgb colour(names, i) notitle
unset multiplot
