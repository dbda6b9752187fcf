#include "loadgen/report/html.h"
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

static const char columns_key[] = "# columns: ";
static const char blanks[] = " \t\r\n";

void html_write(FILE *file, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '&':
			fputs("&amp;", file);
			break;
		case '<':
			fputs("&lt;", file);
			break;
		case '>':
			fputs("&gt;", file);
			break;
		case '"':
			fputs("&quot;", file);
			break;
		case '\n':
			fputs("&#10;", file);
			break;
		case '\t':
			fputs("&#9;", file);
			break;
		default:
			fputc((unsigned char)*text < ' ' ? '?' : *text, file);
		}
	}
}

/* Data */

struct tables {
	FILE *file;
	char *columns; /* the line of their names, or NULL */
	char *name;    /* of the block, or NULL */
	bool open;
};

/* The next word of a line, which it ends; quotes are taken off. NULL if there is none. */
static char *next_word(char **rest, bool *quoted)
{
	char *word = *rest + strspn(*rest, blanks);
	size_t length;

	*quoted = *word == '"';
	if (*word == '\0')
		return NULL;
	word += *quoted;
	length = strcspn(word, *quoted ? "\"" : blanks);
	*rest = word + length + (word[length] != '\0');
	word[length] = '\0';
	return word;
}

/* gnuplot's text: "\n" breaks a line. Not a number is no value. */
static void write_word(FILE *file, char *word)
{
	char *line;

	while ((line = strstr(word, "\\n"))) {
		line[0] = ',';
		line[1] = ' ';
	}
	html_write(file, strcmp(word, "nan") == 0 ? "–" : word);
}

static void close_table(struct tables *tables)
{
	if (tables->open)
		fputs("</tbody></table></div>\n", tables->file);
	tables->open = false;
	free(tables->name);
	tables->name = NULL;
}

static void write_columns(struct tables *tables)
{
	char *line = tables->columns ? strdup(tables->columns) : NULL;
	char *rest = line;
	char *word;
	bool quoted;

	if (!line)
		return;
	fputs("<thead><tr>", tables->file);
	while ((word = next_word(&rest, &quoted))) {
		fputs("<th scope=\"col\">", tables->file);
		html_write(tables->file, word);
		fputs("</th>", tables->file);
	}
	fputs("</tr></thead>", tables->file);
	free(line);
}

static void open_table(struct tables *tables)
{
	if (tables->open)
		return;
	fputs("<div class=\"scroll\" tabindex=\"0\"><table>", tables->file);
	if (tables->name) {
		fputs("<caption>", tables->file);
		html_write(tables->file, tables->name);
		fputs("</caption>", tables->file);
	}
	write_columns(tables);
	fputs("<tbody>\n", tables->file);
	tables->open = true;
}

static void write_row(struct tables *tables, char *first, bool first_quoted, char *rest)
{
	bool quoted = first_quoted;

	open_table(tables);
	fputs("<tr>", tables->file);
	for (char *word = first; word; word = next_word(&rest, &quoted)) {
		fputs(quoted ? "<td>" : "<td class=\"number\">", tables->file);
		write_word(tables->file, word);
		fputs("</td>", tables->file);
	}
	fputs("</tr>\n", tables->file);
}

static void take_line(struct tables *tables, char *line)
{
	char *rest = line;
	bool quoted;
	char *first;

	if (strncmp(line, columns_key, strlen(columns_key)) == 0) {
		close_table(tables);
		free(tables->columns);
		tables->columns = strdup(line + strlen(columns_key));
		return;
	}
	if (line[0] == '#')
		return;
	first = next_word(&rest, &quoted);
	if (!first) {
		close_table(tables);
	} else if (quoted && rest[strspn(rest, blanks)] == '\0') {
		close_table(tables);
		tables->name = strdup(first);
	} else {
		write_row(tables, first, quoted, rest);
	}
}

int html_write_data(FILE *file, const char *path)
{
	struct tables tables = { .file = file };
	FILE *data = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;

	if (!data)
		return -errno;
	while (getline(&line, &size, data) >= 0)
		take_line(&tables, line);
	close_table(&tables);
	free(tables.columns);
	free(line);
	fclose(data);
	return 0;
}
