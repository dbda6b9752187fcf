# What all figures share. One colour and one marker per architecture throughout, chosen to differ
# in grey as well (Okabe & Ito): threaded blue discs, evented orange squares.
set encoding utf8
set border 3 lw 1.2 lc rgb '#333333'
set tics nomirror out scale 0.6
set grid ytics lc rgb '#dddddd' lw 0.8 lt 1
threaded = '#0060a8'
evented = '#e07b00'
model = '#333333'
band = '#e6e6e6'
set style line 1 lc rgb threaded pt 7 ps 1.1 lw 2
set style line 2 lc rgb evented pt 5 ps 1.1 lw 2
set style line 3 lc rgb model lw 1.6 dt 1
set style line 4 lc rgb model lw 1.6 dt 2
set style line 5 lc rgb model lw 1.6 dt 3
