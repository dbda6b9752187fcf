#include "loadgen/engine/base64.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

/* RFC 4648, section 10, and the ends of the alphabet. */
static const struct {
	const char *bytes;
	const char *text;
} table[] = {
	{ "", "" },
	{ "f", "Zg==" },
	{ "fo", "Zm8=" },
	{ "foo", "Zm9v" },
	{ "foob", "Zm9vYg==" },
	{ "fooba", "Zm9vYmE=" },
	{ "foobar", "Zm9vYmFy" },
	{ "\xfb\xff\xbf", "+/+/" },
};

Test(base64, it_is_the_text_of_the_standard_and_back)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		size_t size = strlen(table[i].bytes);
		uint8_t bytes[16];
		char text[16];

		base64_encode((const uint8_t *)table[i].bytes, size, text);
		cr_expect_str_eq(text, table[i].text);
		cr_expect_eq(base64_length(size), strlen(table[i].text));
		cr_expect_eq(base64_decode(table[i].text, strlen(table[i].text), bytes),
			     (ssize_t)size);
		cr_expect_arr_eq(bytes, table[i].bytes, size);
	}
}

Test(base64, what_no_encoder_writes_is_refused)
{
	static const char *const wrong[] = { "Z",    "Zg",   "Zg=",      "Zg===",  "Z===",
					     "====", "=Zg=", "Zg=a",     "Zm9v\n", "Zm-_",
					     "Zh==", "Zm9=", "Zg==Zg==", "Zm 9" };
	uint8_t bytes[16];

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		cr_expect_eq(base64_decode(wrong[i], strlen(wrong[i]), bytes), -EBADMSG, "%s",
			     wrong[i]);
}
