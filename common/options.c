#include "common/options.h"
#include "common/cpus.h"
#include "common/net.h"
#include "common/units.h"
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { OPTIONS_MAX = 48, HELP_COLUMN = 26, HELP_WIDTH = 96, FIRST_LONG = 256 };

static void print_message(const char *program, const char *format, va_list arguments)
{
	fprintf(stderr, "%s: ", program);
	vfprintf(stderr, format, arguments);
}

int options_complain(const struct option_table *table, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	print_message(table->program, format, arguments);
	va_end(arguments);
	fprintf(stderr, " (see '%s --help')\n", table->program);
	return 2;
}

int options_fail(const char *program, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	print_message(program, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	return 1;
}

struct option_spec *options_find(const struct option_table *table, const char *name)
{
	for (size_t i = 0; i < table->count; i++)
		if (strcmp(table->specs[i].name, name) == 0)
			return &table->specs[i];
	return NULL;
}

static void join_choices(const struct option_spec *spec, const char *between, char *text,
			 size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (const char *const *name = spec->choices; *name && used < size; name++)
		used += (size_t)snprintf(text + used, size - used, "%s%s", used ? between : "",
					 *name);
}

static int choose(const struct option_spec *spec, const char *text, int *chosen)
{
	for (int i = 0; spec->choices[i]; i++) {
		if (strcmp(spec->choices[i], text) == 0) {
			*chosen = i;
			return 0;
		}
	}
	return -EINVAL;
}

/* What a value of that type looks like, for a message that refuses another. */
static const char *expectation(const struct option_spec *spec, char *text, size_t size)
{
	size_t used;

	switch (spec->type) {
	case OPTION_DURATION:
		return "a time such as 250us, 5ms or 1.5s";
	case OPTION_COUNT:
		return "a whole number such as 25 or 10k";
	case OPTION_SIZE:
		return "a size such as 64KiB or 1MiB";
	case OPTION_CPUS:
		return "a list of processors such as 0 or 0,2-3";
	case OPTION_ADDRESS:
		return "HOST:PORT, such as 127.0.0.1:8080";
	case OPTION_NUMBER:
		return "a number such as 2.5 or 20k";
	case OPTION_CHOICE:
		used = (size_t)snprintf(text, size, "one of ");
		join_choices(spec, ", ", text + used, size - used);
		return text;
	case OPTION_FLAG:
	case OPTION_TEXT:
	case OPTION_LIST:
		break;
	}
	return "something else";
}

static int append(struct option_list *list, const char *text)
{
	if (list->count == OPTION_LIST_MAX)
		return -E2BIG;
	list->items[list->count++] = text;
	return 0;
}

static int parse_value(struct option_spec *spec, const char *text)
{
	switch (spec->type) {
	case OPTION_FLAG:
		*(bool *)spec->value = true;
		return 0;
	case OPTION_TEXT:
		*(const char **)spec->value = text;
		return 0;
	case OPTION_DURATION:
		return units_parse_duration(text, spec->value);
	case OPTION_COUNT:
		return units_parse_count(text, spec->value);
	case OPTION_SIZE:
		return units_parse_size(text, spec->value);
	case OPTION_CHOICE:
		return choose(spec, text, spec->value);
	case OPTION_CPUS:
		return cpus_parse(text, spec->value);
	case OPTION_ADDRESS:
		return net_parse(text, spec->value);
	case OPTION_NUMBER:
		return units_parse_number(text, spec->value);
	case OPTION_LIST:
		return append(spec->value, text);
	}
	return -EINVAL;
}

static bool is_whole_number(enum option_type type)
{
	return type == OPTION_DURATION || type == OPTION_COUNT || type == OPTION_SIZE;
}

static bool is_less(const struct option_spec *spec, int64_t bound)
{
	if (spec->type == OPTION_NUMBER)
		return *(double *)spec->value < (double)bound;
	return is_whole_number(spec->type) && *(int64_t *)spec->value < bound;
}

static bool is_more(const struct option_spec *spec, int64_t bound)
{
	if (spec->type == OPTION_NUMBER)
		return *(double *)spec->value > (double)bound;
	return is_whole_number(spec->type) && *(int64_t *)spec->value > bound;
}

static char *format_number(enum option_type type, int64_t value, char text[UNITS_TEXT_MAX])
{
	if (type == OPTION_DURATION)
		return units_format_duration_exact(text, value);
	if (type == OPTION_SIZE)
		return units_format_size(text, value);
	snprintf(text, UNITS_TEXT_MAX, "%lld", (long long)value);
	return text;
}

static int take(struct option_table *table, struct option_spec *spec, const char *text)
{
	char bound[UNITS_TEXT_MAX];
	char expected[160];
	int rc = parse_value(spec, text);

	spec->given = true;
	if (rc == -EADDRNOTAVAIL)
		return options_complain(table, "--%s %s: no such host", spec->name, text);
	if (rc == -ERANGE)
		return options_complain(table, "--%s %s: that is too much", spec->name, text);
	if (rc == -E2BIG)
		return options_complain(table, "--%s %s: it can be given %d times at most",
					spec->name, text, OPTION_LIST_MAX);
	if (rc != 0)
		return options_complain(table, "--%s %s: want %s", spec->name, text,
					expectation(spec, expected, sizeof(expected)));
	if (is_less(spec, spec->least))
		return options_complain(table, "--%s %s: the least is %s", spec->name, text,
					format_number(spec->type, spec->least, bound));
	if (spec->most > 0 && is_more(spec, spec->most))
		return options_complain(table, "--%s %s: the most is %s", spec->name, text,
					format_number(spec->type, spec->most, bound));
	return 0;
}

/* Print `text` from column HELP_COLUMN on, breaking lines at spaces and newlines. */
static void print_wrapped(const char *text)
{
	size_t column = HELP_COLUMN;

	while (*text) {
		size_t word = strcspn(text, " \n");

		if (column > HELP_COLUMN && column + 1 + word > HELP_WIDTH) {
			printf("\n%*s", HELP_COLUMN, "");
			column = HELP_COLUMN;
		} else if (column > HELP_COLUMN) {
			putchar(' ');
			column++;
		}
		printf("%.*s", (int)word, text);
		column += word;
		text += word;
		if (*text == '\n') {
			printf("\n%*s", HELP_COLUMN, "");
			column = HELP_COLUMN;
		}
		text += strspn(text, " \n");
	}
	putchar('\n');
}

static void format_default(const struct option_spec *spec, char *text, size_t size)
{
	char value[NET_TEXT_MAX] = "";

	text[0] = '\0';
	if (spec->hide_default)
		return;
	if (is_whole_number(spec->type))
		format_number(spec->type, *(int64_t *)spec->value, value);
	else if (spec->type == OPTION_NUMBER)
		units_format_number(value, *(double *)spec->value);
	else if (spec->type == OPTION_CHOICE)
		snprintf(value, sizeof(value), "%s", spec->choices[*(int *)spec->value]);
	else if (spec->type == OPTION_ADDRESS)
		net_format(spec->value, value);
	else if (spec->type == OPTION_TEXT && *(const char **)spec->value)
		snprintf(value, sizeof(value), "%s", *(const char **)spec->value);
	if (value[0])
		snprintf(text, size, " [%s]", value);
}

static void print_help(const struct option_table *table)
{
	printf("usage: %s %s\n\n%s\n", table->program, table->usage, table->about);
	if (table->count == 0 || !table->specs[0].section)
		printf("\noptions:\n");
	for (size_t i = 0; i < table->count; i++) {
		const struct option_spec *spec = &table->specs[i];
		char left[96];
		char choices[96] = "";
		char shown[NET_TEXT_MAX + 4];
		char help[640];

		if (spec->section)
			printf("\n%s:\n", spec->section);
		if (spec->type == OPTION_CHOICE)
			join_choices(spec, "|", choices, sizeof(choices));
		snprintf(left, sizeof(left), "  --%s %s%s", spec->name,
			 spec->type == OPTION_CHOICE ? choices
			 : spec->argument            ? spec->argument
						     : "",
			 spec->type == OPTION_LIST ? " ..." : "");
		format_default(spec, shown, sizeof(shown));
		snprintf(help, sizeof(help), "%s%s", spec->help, shown);
		if (strlen(left) >= HELP_COLUMN)
			printf("%s\n%*s", left, HELP_COLUMN, "");
		else
			printf("%-*s", HELP_COLUMN, left);
		print_wrapped(help);
	}
	printf("%-*sthis text\n", HELP_COLUMN, "  --help");
	if (table->notes)
		printf("\n%s\n", table->notes);
}

enum options_result options_parse(struct option_table *table, int argc, char **argv, int *operands)
{
	struct option longs[OPTIONS_MAX + 2] = { 0 };
	const int help = FIRST_LONG + (int)table->count;
	int letter;

	for (size_t i = 0; i < table->count; i++) {
		const struct option_spec *spec = &table->specs[i];

		longs[i].name = spec->name;
		longs[i].has_arg = spec->type == OPTION_FLAG ? no_argument : required_argument;
		longs[i].val = FIRST_LONG + (int)i; /* all different, or none is ambiguous */
	}
	longs[table->count] = (struct option){ "help", no_argument, NULL, help };
	optind = 0;
	opterr = 0;
	while ((letter = getopt_long(argc, argv, ":h", longs, NULL)) != -1) {
		if (letter == 'h' || letter == help) {
			print_help(table);
			return OPTIONS_HELP;
		}
		switch (letter) {
		case ':':
			options_complain(table, "%s needs a value", argv[optind - 1]);
			return OPTIONS_USAGE;
		case '?':
			/* optind stays at a group of letters until its last one is taken. */
			if (optopt >= FIRST_LONG)
				options_complain(table, "--%s takes no value",
						 longs[optopt - FIRST_LONG].name);
			else if (optopt > 0)
				options_complain(table, "unknown option -%c", optopt);
			else
				options_complain(table, "unknown option %s", argv[optind - 1]);
			return OPTIONS_USAGE;
		default:
			if (take(table, &table->specs[letter - FIRST_LONG], optarg) != 0)
				return OPTIONS_USAGE;
			break;
		}
	}
	*operands = optind;
	return OPTIONS_OK;
}
