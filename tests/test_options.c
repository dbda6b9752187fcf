#include "common/options.h"
#include "common/net.h"
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

enum { WORDS_MAX = 8, TEXT_MAX = 4096 };

static const char *const colours[] = { "red", "green", NULL };

/* A program with an option of each kind. */
struct program {
	bool flag;
	const char *text;
	int64_t time;
	int64_t count;
	int64_t size;
	int colour;
	cpu_set_t cpus;
	struct net_address address;
	double number;
	struct option_list list;
	struct option_spec specs[10];
	struct option_table table;
};

static void set_up(struct program *program)
{
	const struct option_spec specs[] = {
		{ "flag", OPTION_FLAG, &program->flag, NULL, "a flag" },
		{ "text", OPTION_TEXT, &program->text, "TEXT", "a text" },
		{ "time", OPTION_DURATION, &program->time, "TIME", "a time", .least = 1000,
		  .most = 1000000000 },
		{ "count", OPTION_COUNT, &program->count, "N", "a count", .least = 1, .most = 100 },
		{ "size", OPTION_SIZE, &program->size, "SIZE", "a size", .least = 1024 },
		{ "colour", OPTION_CHOICE, &program->colour, NULL, "a choice", .choices = colours },
		{ "cpus", OPTION_CPUS, &program->cpus, "LIST", "a set", .hide_default = true },
		{ "address", OPTION_ADDRESS, &program->address, "ADDR", "an address" },
		{ "number", OPTION_NUMBER, &program->number, "X", "a number", .least = 1,
		  .most = 50000 },
		{ "list", OPTION_LIST, &program->list, "ITEM", "a list" },
	};

	*program = (struct program){
		.time = 5000000, .count = 25, .size = 65536, .colour = 1, .number = 2.5
	};
	cr_assert_eq(net_parse("127.0.0.1:0", &program->address), 0);
	memcpy(program->specs, specs, sizeof(specs));
	program->table = (struct option_table){
		.program = "painter",
		.usage = "[OPTION]... [WALL]...",
		.about = "Paints.",
		.notes = "Dries by itself.",
		.specs = program->specs,
		.count = sizeof(specs) / sizeof(specs[0]),
	};
}

/* Let `descriptor` write into memory; what it was is the result. */
static int redirect(int descriptor, int *memory)
{
	int before = dup(descriptor);

	*memory = memfd_create("captured", 0);
	cr_assert_geq(before, 0);
	cr_assert_geq(dup2(*memory, descriptor), 0);
	return before;
}

static void restore(int descriptor, int before, int memory, char text[TEXT_MAX])
{
	ssize_t got;

	fflush(NULL);
	dup2(before, descriptor);
	close(before);
	got = pread(memory, text, TEXT_MAX - 1, 0);
	text[got > 0 ? got : 0] = '\0';
	close(memory);
}

/* Parse a command line, catching what is printed on `descriptor`. */
static enum options_result parse(struct program *program, const char *const *words, int *operands,
				 int descriptor, char printed[TEXT_MAX])
{
	char copies[WORDS_MAX][64];
	char *argv[WORDS_MAX + 1] = { NULL };
	enum options_result result;
	int argc = 0;
	int memory;
	int before;

	for (; words[argc]; argc++) {
		snprintf(copies[argc], sizeof(copies[argc]), "%s", words[argc]);
		argv[argc] = copies[argc];
	}
	fflush(NULL);
	before = redirect(descriptor, &memory);
	result = options_parse(&program->table, argc, argv, operands);
	restore(descriptor, before, memory, printed);
	return result;
}

Test(options, each_kind_of_value_is_taken)
{
	static const char *const words[] = { "painter",    "--count=7", "north", "--flag",
					     "--time=2ms", "--size",    "2KiB",  NULL };
	static const char *const more[] = { "painter",   "--colour",   "red", "--cpus=0,2",
					    "--address", "[::1]:8080", NULL };
	struct program program;
	char printed[TEXT_MAX];
	char address[NET_TEXT_MAX];
	int operands;

	set_up(&program);
	cr_assert_eq(parse(&program, words, &operands, 2, printed), OPTIONS_OK, "%s", printed);
	cr_expect_eq(operands, 6);
	cr_expect_eq(program.count, 7);
	cr_expect(program.flag);
	cr_expect_eq(program.time, 2000000);
	cr_expect_eq(program.size, 2048);
	cr_expect_eq(program.colour, 1);
	cr_assert_eq(parse(&program, more, &operands, 2, printed), OPTIONS_OK, "%s", printed);
	cr_expect_eq(program.colour, 0);
	cr_expect_eq(CPU_COUNT(&program.cpus), 2);
	cr_expect_str_eq(net_format(&program.address, address), "[::1]:8080");
	cr_expect_str_eq(printed, "");
}

Test(options, what_is_not_given_keeps_its_default_and_is_known_not_to_be_given)
{
	static const char *const words[] = { "painter", "--text", "--flag", NULL };
	struct program program;
	char printed[TEXT_MAX];
	int operands;

	set_up(&program);
	cr_assert_eq(parse(&program, words, &operands, 2, printed), OPTIONS_OK, "%s", printed);
	cr_expect_eq(program.count, 25);
	cr_expect_not(options_find(&program.table, "count")->given);
	cr_expect_not(options_find(&program.table, "flag")->given);
	cr_expect(options_find(&program.table, "text")->given);
	cr_expect_null(options_find(&program.table, "brush"));
}

Test(options, a_number_need_not_be_whole)
{
	static const char *const words[] = { "painter", "--number=20.5k", NULL };
	struct program program;
	char printed[TEXT_MAX];
	int operands;

	set_up(&program);
	cr_assert_eq(parse(&program, words, &operands, 2, printed), OPTIONS_OK, "%s", printed);
	cr_expect_eq(program.number, 20500);
}

Test(options, a_list_has_what_is_given_in_its_order)
{
	char *argv[] = { "painter", "--list=b", "wall", "--list", "a", "--list=", NULL };
	static const char *const expected[] = { "b", "a", "" };
	struct program program;
	int operands;

	set_up(&program);
	cr_expect_not(options_find(&program.table, "list")->given);
	cr_assert_eq(options_parse(&program.table, 6, argv, &operands), OPTIONS_OK);
	cr_expect(options_find(&program.table, "list")->given);
	cr_assert_eq(program.list.count, 3);
	for (int i = 0; i < 3; i++)
		cr_expect_str_eq(program.list.items[i], expected[i]);
	cr_expect_str_eq(argv[operands], "wall");
}

Test(options, a_list_that_is_too_long_is_refused_with_how_long_it_may_be)
{
	struct program program;
	char *argv[OPTION_LIST_MAX + 3] = { "painter" };
	char printed[TEXT_MAX];
	int operands;
	int memory;
	int before;

	for (int i = 0; i <= OPTION_LIST_MAX; i++)
		argv[i + 1] = "--list=x";
	set_up(&program);
	cr_expect_eq(options_parse(&program.table, OPTION_LIST_MAX + 1, argv, &operands),
		     OPTIONS_OK);
	cr_expect_eq(program.list.count, OPTION_LIST_MAX);
	set_up(&program);
	before = redirect(2, &memory);
	cr_expect_eq(options_parse(&program.table, OPTION_LIST_MAX + 2, argv, &operands),
		     OPTIONS_USAGE);
	restore(2, before, memory, printed);
	cr_expect_str_eq(printed, "painter: --list x: it can be given 64 times at most "
				  "(see 'painter --help')\n");
}

/* Each refusal names the option, the value, and what would do. */
static const struct refusal {
	const char *words[4];
	const char *line;
} refusals[] = {
	{ { "painter", "--brush" }, "unknown option --brush" },
	{ { "painter", "--brush=3" }, "unknown option --brush=3" },
	{ { "painter", "-b" }, "unknown option -b" },
	{ { "painter", "-bq", "north" }, "unknown option -b" },
	{ { "painter", "--co" }, "unknown option --co" },
	{ { "painter", "--flag=yes" }, "--flag takes no value" },
	{ { "painter", "--help=count" }, "--help takes no value" },
	{ { "painter", "--count" }, "--count needs a value" },
	{ { "painter", "--count", "x" }, "--count x: want a whole number such as 25 or 10k" },
	{ { "painter", "--count", "" }, "--count : want a whole number such as 25 or 10k" },
	{ { "painter", "--count=0" }, "--count 0: the least is 1" },
	{ { "painter", "--count=101" }, "--count 101: the most is 100" },
	{ { "painter", "--count=1k" }, "--count 1k: the most is 100" },
	{ { "painter", "--time=5" }, "--time 5: want a time such as 250us, 5ms or 1.5s" },
	{ { "painter", "--time=-5ms" }, "--time -5ms: want a time such as 250us, 5ms or 1.5s" },
	{ { "painter", "--time=99999999h" }, "--time 99999999h: that is too much" },
	{ { "painter", "--count=9999999999999999999" },
	  "--count 9999999999999999999: that is too much" },
	{ { "painter", "--time=1ns" }, "--time 1ns: the least is 1us" },
	{ { "painter", "--time=2s" }, "--time 2s: the most is 1s" },
	{ { "painter", "--size=big" }, "--size big: want a size such as 64KiB or 1MiB" },
	{ { "painter", "--size=1B" }, "--size 1B: the least is 1KiB" },
	{ { "painter", "--colour=blue" }, "--colour blue: want one of red, green" },
	{ { "painter", "--colour=r" }, "--colour r: want one of red, green" },
	{ { "painter", "--cpus=x" }, "--cpus x: want a list of processors such as 0 or 0,2-3" },
	{ { "painter", "--address=80" }, "--address 80: want HOST:PORT, such as 127.0.0.1:8080" },
	{ { "painter", "--address=300.0.0.1:80" }, "--address 300.0.0.1:80: no such host" },
	{ { "painter", "--number=x" }, "--number x: want a number such as 2.5 or 20k" },
	{ { "painter", "--number=-1" }, "--number -1: want a number such as 2.5 or 20k" },
	{ { "painter", "--number=nan" }, "--number nan: want a number such as 2.5 or 20k" },
	{ { "painter", "--number=inf" }, "--number inf: want a number such as 2.5 or 20k" },
	{ { "painter", "--number=0.99" }, "--number 0.99: the least is 1" },
	{ { "painter", "--number=50000.5" }, "--number 50000.5: the most is 50000" },
	{ { "painter", "--list" }, "--list needs a value" },
};

Test(options, a_refusal_is_one_line_that_names_the_option_and_the_value)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		struct program program;
		char printed[TEXT_MAX];
		char expected[TEXT_MAX];
		int operands;

		set_up(&program);
		snprintf(expected, sizeof(expected), "painter: %s (see 'painter --help')\n",
			 refusals[i].line);
		cr_expect_eq(parse(&program, refusals[i].words, &operands, 2, printed),
			     OPTIONS_USAGE, "%s", refusals[i].line);
		cr_expect_str_eq(printed, expected, "got: %snot: %s", printed, expected);
	}
}

Test(options, the_bounds_themselves_are_allowed)
{
	static const char *const table[][3] = {
		{ "painter", "--number=1" },  { "painter", "--number=50k" },
		{ "painter", "--count=1" },   { "painter", "--count=100" },
		{ "painter", "--time=1us" },  { "painter", "--time=1s" },
		{ "painter", "--size=1KiB" }, { "painter", "--size=9GiB" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct program program;
		char printed[TEXT_MAX];
		int operands;

		set_up(&program);
		cr_expect_eq(parse(&program, table[i], &operands, 2, printed), OPTIONS_OK, "%s",
			     printed);
	}
}

Test(options, help_lists_every_option_with_its_live_default)
{
	static const char *const words[] = { "painter", "--help", NULL };
	static const char *const lines[] = {
		"usage: painter [OPTION]... [WALL]...\n",
		"Paints.\n",
		"  --flag ",
		"  --text TEXT ",
		"a time [7ms]\n",
		"a count [25]\n",
		"a size [64KiB]\n",
		"  --colour red|green ",
		"a choice [green]\n",
		"a set\n",
		"an address [127.0.0.1:0]\n",
		"a number [2.5]\n",
		"  --list ITEM ... ",
		"a list\n",
		"  --help",
		"Dries by itself.\n",
	};
	struct program program;
	char printed[TEXT_MAX];
	int operands;

	set_up(&program);
	program.time = 7000000;
	cr_assert_eq(parse(&program, words, &operands, 1, printed), OPTIONS_HELP);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		cr_expect_not_null(strstr(printed, lines[i]), "no '%s' in:\n%s", lines[i], printed);
}
