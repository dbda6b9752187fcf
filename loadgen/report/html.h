/* Pieces of HTML. */
#pragma once
#include <stdio.h>

/* Write text so that it stands for itself, in an element or in a quoted attribute; of XML, too. */
void html_write(FILE *file, const char *text);

/*
 * Write a figure's data file as tables: one for each block, under the block's name, with the column
 * names of the line "# columns: NAME NAME..." before it. Words in quotes may hold blanks. Returns 0
 * or -errno.
 */
int html_write_data(FILE *file, const char *path);
