# Each case: predicted and measured throughput above, their ratio and its tolerance below.
load ARG0[1:strlen(ARG0) - strlen('cases.gp')].'style.gp'
set terminal svg size 1000,680 dynamic enhanced font 'Helvetica,17' background rgb 'white'
set output 'cases.svg'
rows = int(system("grep -vc '^#' cases.dat"))
set xrange [-0.6:rows - 0.4]
set lmargin 11
set rmargin 2
set multiplot
set size 1,0.60
set origin 0,0.40
set bmargin 0.5
set tmargin 3.2
set logscale y
set format y '10^{%T}'
set format x ''
set xtics scale 0 format ''
unset xtics
set ylabel 'throughput (requests/s)'
set key above horizontal width -1 samplen 2 maxrows 2
set yrange [1:40000]
plot 'cases.dat' using ($1-0.17):4 with points pt 2 ps 1.5 lw 2 lc rgb model title 'predicted (calibrated)', \
     '' using ($1+0.17):10 with points pt 2 ps 1.5 lw 2 lc rgb model notitle, \
     '' using ($1-0.17):5 with points ls 1 title 'threaded (pool), measured', \
     '' using ($1+0.17):11 with points ls 2 title 'evented (loop), measured'
set size 1,0.40
set origin 0,0
set tmargin 0.5
set bmargin 4.2
unset logscale y
set format y '%g'
set ylabel "measured /\npredicted"
set yrange [0.90:1.10]
set ytics 0.05
set xtics scale 0 norangelimit font ',13'
unset key
plot 'cases.dat' using 1:(1.0):(0.48):15:xtic(2) with boxxyerror fs solid noborder lc rgb band notitle, \
     1 ls 3 lw 1 notitle, \
     '' using ($1-0.17):7:8 with yerrorbars ls 1 notitle, \
     '' using ($1+0.17):13:14 with yerrorbars ls 2 notitle
unset multiplot
