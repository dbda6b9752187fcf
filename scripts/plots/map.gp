# A map of the space: a panel for each c and kind of times, a cell for each w/c and t, with its value
# written in it. Loaded by the script of each map, which sets `name`, `label`, `reach` (of the
# colours, to either side of 0) and `ticks`. Blue is below, orange is above: colours that differ
# for all kinds of sight (Okabe & Ito), and the text says the same.
set terminal unknown
source = name.'.dat'
field(key) = system("sed -n 's/^# ".key.": //p' ".source)
columns = field('t')
rows = field('w.c')
titles = system("sed -n 's/^# panel: //p' ".source." | tr ' \n' '~ '")
spaces(text) = system("printf '%s' '".text."' | tr '~' ' '")
across = int(field('side by side'))
panels = words(titles)
down = int(ceil(panels / real(across)))
# The scale and its caption need as much, however few cells there are.
least_width = 1000
width = 130 + across * (40 + 62 * words(columns))
if (width < least_width) { width = least_width }
panel_height = 42 * words(rows) + 92
height = 10 + down * panel_height + 100
set terminal svg size width,height dynamic enhanced font 'Helvetica,16' background rgb 'white'
set output name.'.svg'
set palette defined (0 '#0060a8', 0.25 '#6aaed6', 0.5 '#f7f7f7', 0.75 '#f5b265', 1 '#c75d00')
set cbrange [-reach:reach]
clip(value) = value > reach ? reach : value < -reach ? -reach : value
set xrange [-0.5:words(columns) - 0.5]
set yrange [-0.5:words(rows) - 0.5]
unset grid
unset key
set border 0 lc rgb 'white' # tics of no length leave dots in its colour
set tics nomirror scale 0 textcolor rgb '#333333'
unset colorbox
set multiplot
x_at(pixels) = pixels / real(width)
y_at(pixels) = 1 - pixels / real(height)
left = 100
panel_width = (width - left - 30) / across
short(text) = text[1:1] eq '1' && strlen(text) > 4 && text eq sprintf('%.0f', 10**(strlen(text) - 1)) ? \
              sprintf('10^{%d}', strlen(text) - 1) : text
dark(value) = abs(clip(value)) > 0.72 * reach
ink(value) = dark(value) ? 0xffffff : 0x111111
do for [p = 1:panels] {
	column = (p - 1) % across
	row = (p - 1) / across
	set lmargin at screen x_at(left + column * panel_width)
	set rmargin at screen x_at(left + (column + 1) * panel_width - 30)
	set tmargin at screen y_at(10 + row * panel_height + 34)
	set bmargin at screen y_at(10 + (row + 1) * panel_height - 58)
	set title spaces(word(titles, p)) noenhanced offset 0,-0.5 font ',16'
	unset xtics
	unset ytics
	set xtics nomirror () font ',14' textcolor rgb '#333333'
	do for [i = 1:words(columns)] { set xtics add (short(word(columns, i)) i - 1) }
	set xlabel (p + across > panels ? 'thread limit t' : '') offset 0,0.4
	if (column == 0) {
		set ytics nomirror () font ',14' textcolor rgb '#333333'
		do for [i = 1:words(rows)] { set ytics add (short(word(rows, i)) i - 1) }
	}
	set ylabel (column == 0 ? 'w/c' : '') offset 1,0
	plot source index p - 1 using 1:2:(0.48):(0.47) skip 1 with boxxyerror fs solid noborder lc rgb '#cccccc', \
	     '' index p - 1 using ($3 > -1e9 ? $1 : 1/0):2:(0.48):(0.47):(clip($3)) skip 1 with boxxyerror fs solid noborder lc palette, \
	     '' index p - 1 using 1:2:5:(strcol(4) eq 'value' ? ink($3) : 0x444444) skip 1 with labels tc rgb variable font ',14'
}
# The colours, below.
set lmargin at screen x_at(left)
set rmargin at screen x_at(width - 60)
set tmargin at screen y_at(height - 84)
set bmargin at screen y_at(height - 66)
unset title
unset ylabel
unset ytics
set xlabel label offset 0,0.3
set xrange [-reach:reach]
set yrange [0:1]
set xtics nomirror () font ',14' textcolor rgb '#333333'
do for [i = 1:words(ticks) / 2] { set xtics add (spaces(word(ticks, 2 * i - 1)) real(word(ticks, 2 * i))) }
set samples 2
plot for [i = 0:99] '+' using (-reach + (i + 0.5) * reach / 50.0):(0.5):(reach / 99.0):(0.5):(-reach + (i + 0.5) * reach / 50.0) \
     every ::0::0 with boxxyerror fs solid noborder lc palette
unset multiplot
