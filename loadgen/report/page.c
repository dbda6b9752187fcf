#include "loadgen/report/page.h"
#include "loadgen/engine/base64.h"
#include "loadgen/report/assets.h"
#include "loadgen/report/html.h"
#include <cmark-gfm-core-extensions.h>
#include <cmark-gfm.h>
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char figures_prefix[] = "figures/";

/* The details of a map are raw HTML in report.md, which is ours; any other is disarmed first. */
enum { CMARK_OPTIONS = CMARK_OPT_UNSAFE, PATH_ROOM = PATH_MAX + 32 };

struct page {
	const char *directory;
	cmark_node *root;
	char *contents; /* links to the sections */
	size_t contents_size;
	FILE *contents_file;
	char *title;
	char *why;
	int rc;
};

static void fail(struct page *page, int rc, const char *what)
{
	if (page->rc == 0)
		snprintf(page->why, SUMMARY_WHY_MAX, "%s: %s", what, strerror(-rc));
	page->rc = page->rc == 0 ? rc : page->rc;
}

/* A whole file, with a NUL after it, for the caller to free; NULL if it cannot be read. */
static char *read_whole(struct page *page, const char *path, size_t *length)
{
	FILE *file = fopen(path, "re");
	struct stat status;
	char *text = NULL;

	if (!file || fstat(fileno(file), &status) != 0) {
		fail(page, -errno, path);
	} else {
		text = malloc((size_t)status.st_size + 1);
		if (!text) {
			fail(page, -ENOMEM, path);
		} else {
			*length = fread(text, 1, (size_t)status.st_size, file);
			text[*length] = '\0';
		}
	}
	if (file)
		fclose(file);
	return text;
}

/* Nodes */

/* The node's text alone, for the caller to free. */
static char *text_of(cmark_node *node)
{
	char *rendered = cmark_render_plaintext(node, CMARK_OPT_DEFAULT, 0);
	char *text = strdup(rendered);

	cmark_get_default_mem_allocator()->free(rendered);
	if (text)
		text[strcspn(text, "\n")] = '\0';
	return text;
}

/* A node that becomes this HTML. */
static cmark_node *raw(const char *html)
{
	cmark_node *node = cmark_node_new(CMARK_NODE_CUSTOM_BLOCK);

	cmark_node_set_on_enter(node, html);
	return node;
}

static void replace(cmark_node *node, const char *html)
{
	cmark_node_replace(node, raw(html));
	cmark_node_free(node);
}

/* The fold around a map's tables: its two ends. */
static bool is_ours(const char *html)
{
	static const char begin[] = "<details><summary>";
	int tags = 0;

	for (const char *at = strchr(html, '<'); at; at = strchr(at + 1, '<'))
		tags++;
	return strncmp(html, begin, sizeof(begin) - 1) == 0
		       ? tags == 3
		       : tags == 1 && strncmp(html, "</details>", 10) == 0;
}

/* HTML in a plan's names and claims, which anyone may have written, is shown as what it is. */
static void disarm(cmark_node *root)
{
	cmark_node *next;

	for (cmark_node *node = cmark_node_first_child(root); node; node = next) {
		cmark_node_type type = cmark_node_get_type(node);

		next = cmark_node_next(node);
		if ((type == CMARK_NODE_HTML_BLOCK || type == CMARK_NODE_HTML_INLINE) &&
		    !is_ours(cmark_node_get_literal(node))) {
			bool is_block = type == CMARK_NODE_HTML_BLOCK;
			cmark_node *text =
				cmark_node_new(is_block ? CMARK_NODE_CODE_BLOCK : CMARK_NODE_TEXT);

			cmark_node_set_literal(text, cmark_node_get_literal(node));
			cmark_node_replace(node, text);
			cmark_node_free(node);
		} else {
			disarm(node);
		}
	}
}

/* Letters and digits, in words with a hyphen between them. */
static void write_slug(FILE *file, const char *text)
{
	bool pending = false;
	bool any = false;

	for (; *text; text++) {
		if (!isalnum((unsigned char)*text)) {
			pending = any;
			continue;
		}
		fprintf(file, "%s%c", pending ? "-" : "", tolower((unsigned char)*text));
		pending = false;
		any = true;
	}
}

/* A section's heading can be linked to, and is. */
static void turn_heading(struct page *page, cmark_node *node)
{
	int level = cmark_node_get_heading_level(node);
	char *text = text_of(node);
	char *html = NULL;
	size_t size;
	FILE *file;

	if (level == 1 && !page->title) {
		page->title = text;
		return;
	}
	file = text && level == 2 ? open_memstream(&html, &size) : NULL;
	if (file) {
		fputs("<h2 id=\"", file);
		write_slug(file, text);
		fputs("\">", file);
		html_write(file, text);
		fputs("</h2>\n", file);
		fclose(file);
		replace(node, html);
		fputs("<li><a href=\"#", page->contents_file);
		write_slug(page->contents_file, text);
		fputs("\">", page->contents_file);
		html_write(page->contents_file, text);
		fputs("</a></li>\n", page->contents_file);
	}
	free(html);
	free(text);
}

/* A wide table is moved sideways by itself, not with the page. */
static void wrap_table(cmark_node *node)
{
	cmark_node_insert_before(node, raw("<div class=\"scroll\" tabindex=\"0\">"));
	cmark_node_insert_after(node, raw("</div>"));
}

/* Figures */

static cmark_node *image_in(cmark_node *paragraph)
{
	cmark_node *image = cmark_node_first_child(paragraph);

	if (!image || cmark_node_get_type(image) != CMARK_NODE_IMAGE || cmark_node_next(image))
		return NULL;
	return image;
}

/* The data file that a paragraph ends with a link to, or NULL. */
static const char *data_linked(cmark_node *paragraph)
{
	cmark_node *link = paragraph && cmark_node_get_type(paragraph) == CMARK_NODE_PARAGRAPH
				   ? cmark_node_last_child(paragraph)
				   : NULL;
	const char *url = link && cmark_node_get_type(link) == CMARK_NODE_LINK
				  ? cmark_node_get_url(link)
				  : NULL;

	return url && strncmp(url, figures_prefix, strlen(figures_prefix)) == 0 ? url : NULL;
}

static void write_image(struct page *page, FILE *file, const char *path, const char *alt)
{
	size_t length = 0;
	char *svg = read_whole(page, path, &length);
	char *text = svg ? malloc(base64_length(length) + 1) : NULL;

	if (text) {
		base64_encode((const uint8_t *)svg, length, text);
		fprintf(file, "<img src=\"data:image/svg+xml;base64,%s\" alt=\"", text);
		html_write(file, alt);
		fputs("\">", file);
	} else if (svg) {
		fail(page, -ENOMEM, path);
	}
	free(text);
	free(svg);
}

static void write_data(struct page *page, FILE *file, const char *path)
{
	int rc;

	fputs("<details><summary>The data as a table</summary>\n", file);
	rc = html_write_data(file, path);
	if (rc != 0)
		fail(page, rc, path);
	fputs("</details>\n", file);
}

/* An image and the paragraph after it, with its caption and the link to its data, are a figure. */
static void turn_figure(struct page *page, cmark_node *paragraph, cmark_node *image)
{
	cmark_node *after = cmark_node_next(paragraph);
	const char *data = data_linked(after);
	char *alt = text_of(paragraph);
	char path[PATH_ROOM];
	char *html = NULL;
	size_t size;
	FILE *file = open_memstream(&html, &size);

	if (!file || !alt) {
		fail(page, -ENOMEM, "a figure");
	} else {
		fputs("<figure>", file);
		snprintf(path, sizeof(path), "%s/%s", page->directory, cmark_node_get_url(image));
		write_image(page, file, path, alt);
		fputs("<figcaption>", file);
		html_write(file, alt);
		fputs("</figcaption>\n", file);
		if (data) {
			snprintf(path, sizeof(path), "%s/%s", page->directory, data);
			write_data(page, file, path);
		}
		fputs("</figure>\n", file);
	}
	if (file)
		fclose(file);
	if (html)
		replace(paragraph, html);
	if (data) {
		cmark_node_unlink(after);
		cmark_node_free(after);
	}
	free(html);
	free(alt);
}

static void turn(struct page *page)
{
	cmark_node *next;

	for (cmark_node *node = cmark_node_first_child(page->root); node; node = next) {
		cmark_node *image;

		next = cmark_node_next(node);
		if (cmark_node_get_type(node) == CMARK_NODE_HEADING) {
			turn_heading(page, node);
		} else if (strcmp(cmark_node_get_type_string(node), "table") == 0) {
			wrap_table(node);
		} else if (cmark_node_get_type(node) == CMARK_NODE_PARAGRAPH &&
			   (image = image_in(node))) {
			if (data_linked(next))
				next = cmark_node_next(next);
			turn_figure(page, node, image);
		}
	}
}

/* The page */

static void write_page(struct page *page, FILE *file, const char *style, const char *body)
{
	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	      "<meta name=\"color-scheme\" content=\"light dark\">\n<title>",
	      file);
	html_write(file, page->title ? page->title : "cwt report");
	fprintf(file,
		"</title>\n<link rel=\"icon\" href=\"data:,\">\n<style>\n%s</style>\n</head>\n",
		style);
	fprintf(file,
		"<body>\n<nav aria-label=\"Sections\"><ul>\n%s</ul></nav>\n<main>\n%s</main>\n"
		"</body>\n</html>\n",
		page->contents, body);
}

static cmark_node *parse(cmark_parser *parser, const char *text, size_t length)
{
	cmark_parser_attach_syntax_extension(parser, cmark_find_syntax_extension("table"));
	cmark_parser_feed(parser, text, length);
	return cmark_parser_finish(parser);
}

static void write_file(struct page *page, const char *style, const char *body)
{
	char path[PATH_ROOM];
	FILE *file;

	snprintf(path, sizeof(path), "%s/report.html", page->directory);
	file = fopen(path, "we");
	if (!file) {
		fail(page, -errno, path);
		return;
	}
	write_page(page, file, style, body);
	if (ferror(file))
		fail(page, -EIO, path);
	if (fclose(file) != 0)
		fail(page, -errno, path);
}

static void convert(struct page *page, const char *style, const char *markdown, size_t length)
{
	cmark_parser *parser;
	char *body;

	cmark_gfm_core_extensions_ensure_registered();
	parser = cmark_parser_new(CMARK_OPTIONS);
	page->root = parse(parser, markdown, length);
	disarm(page->root);
	turn(page);
	fflush(page->contents_file);
	body = cmark_render_html(page->root, CMARK_OPTIONS,
				 cmark_parser_get_syntax_extensions(parser));
	if (page->rc == 0)
		write_file(page, style, body);
	cmark_get_default_mem_allocator()->free(body);
	cmark_node_free(page->root);
	cmark_parser_free(parser);
}

int page_write(const char *directory, char why[SUMMARY_WHY_MAX])
{
	struct page page = { .directory = directory, .why = why };
	char style_path[PATH_MAX];
	char path[PATH_ROOM];
	char *style = NULL;
	char *markdown = NULL;
	size_t length = 0;
	int rc = assets_find("report.css", style_path, why, SUMMARY_WHY_MAX);

	if (rc != 0)
		return rc;
	page.contents_file = open_memstream(&page.contents, &page.contents_size);
	if (!page.contents_file)
		fail(&page, -ENOMEM, directory);
	style = read_whole(&page, style_path, &length);
	snprintf(path, sizeof(path), "%s/report.md", directory);
	markdown = read_whole(&page, path, &length);
	if (page.rc == 0)
		convert(&page, style, markdown, length);
	if (page.contents_file)
		fclose(page.contents_file);
	free(page.contents);
	free(page.title);
	free(markdown);
	free(style);
	return page.rc;
}
