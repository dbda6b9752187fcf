# What all figures share. One colour and one marker per architecture throughout, chosen to differ
# in grey as well (Okabe & Ito; Tol): pool blue discs, loop orange squares. Variants of an
# architecture have its colour, hollow markers and dashed lines.
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

archs = 'pool loop process thread handoff followers staged coroutine uring loops'
colours = '#0060a8 #e07b00 #882255 #56b4e9 #332288 #009e73 #999933 #cc79a7 #d62728 #000000'
full = '7 5 13 9 11 15 7 9 13 11'
hollow = '6 4 12 8 10 14 6 8 12 10'
place(arch) = sum [i = 1:words(archs)] (word(archs, i) eq arch ? i : 0)

# Names of series, in the order of their blocks in the data; '~' stands for a space.
names_in(file) = system("sed -n 's/^# series: //p' ".file." | tr ' \n' '~ '")
first_word(name) = strstrt(name, '~') ? name[1:strstrt(name, '~') - 1] : name
arch_of(name) = first_word(strstrt(name, ',') ? name[1:strstrt(name, ',') - 1] : name)

# The how-manieth series of its architecture it is: the first one has full markers and lines.
turn(names, i) = sum [j = 1:i] (arch_of(word(names, j)) eq arch_of(word(names, i)))
# Servers of others take the colours and hollow markers in turn.
is_ours(names, i) = place(arch_of(word(names, i))) > 0
others(names, i) = sum [j = 1:i] (!is_ours(names, j))
at(names, i) = is_ours(names, i) ? place(arch_of(word(names, i))) : (others(names, i) - 1) % words(archs) + 1
colour(names, i) = word(colours, at(names, i))
marker(names, i) = int(word(is_ours(names, i) && turn(names, i) == 1 ? full : hollow, at(names, i)))
dashes(names, i) = turn(names, i)
