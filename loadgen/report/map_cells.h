/*
 * What is where on a map of the space, and what its cells say. Within report/: maps.h is what
 * others use.
 */
#pragma once
#include "loadgen/report/maps.h"

enum { MAP_AXIS_MAX = 24, MAP_PANELS_MAX = 24, MAP_TEXT_MAX = 16 };

/* What a cell has to say. */
enum map_state { MAP_VALUE, MAP_INVALID, MAP_MISSING };

struct map_cell {
	enum map_state state;
	double value; /* what the colour is of; 0 is the middle */
	char text[MAP_TEXT_MAX];
};

struct map_axis {
	int64_t values[MAP_AXIS_MAX];
	int count;
};

/* Points that differ in t and w/c alone. */
struct map_panel {
	const struct point *first;
	enum space_times times;
};

struct maps {
	const struct summary *summary;
	enum maps_kind kind;
	struct map_panel panels[MAP_PANELS_MAX];
	int panel_count;
	struct map_axis ratios; /* w/c, in thousandths */
	struct map_axis threads;
	const char *evented[MAP_AXIS_MAX]; /* columns right of the last t */
	int evented_count;
};

/* Which panels and axes the points make; no panel if they are no space. */
void map_lay_out(const struct summary *summary, enum maps_kind kind, struct maps *maps);

/* How many columns the panel has. */
int map_columns(const struct maps *maps, const struct map_panel *panel);

/* The point at w/c (in thousandths) and column, or NULL. */
const struct point *map_point_at(const struct maps *maps, const struct map_panel *panel,
				 int64_t ratio, int column);

struct map_cell map_cell_at(const struct maps *maps, const struct map_panel *panel, int64_t ratio,
			    int column);
