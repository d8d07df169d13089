#define _GNU_SOURCE
#include "script.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static Line lines[512];
static int count;
static struct stat read_last;

/// Beside the library, so that each copy of it has a script of its own.
static const char *path(void) {
    static char place[4096];
    if (place[0]) return place;
    const char *given = getenv("FAKE_NVML_SCRIPT");
    Dl_info library;
    if (given) {
        snprintf(place, sizeof place, "%s", given);
    } else if (dladdr((void *)script_load, &library) && library.dli_fname) {
        const char *end = strrchr(library.dli_fname, '/');
        int length = end ? (int)(end - library.dli_fname) : 0;
        snprintf(place, sizeof place, "%.*s/nvml.script", length, library.dli_fname);
    }
    return place;
}

static bool is_same(const struct stat *one, const struct stat *other) {
    return one->st_ino == other->st_ino && one->st_size == other->st_size
        && one->st_mtim.tv_sec == other->st_mtim.tv_sec && one->st_mtim.tv_nsec == other->st_mtim.tv_nsec
        && one->st_ctim.tv_sec == other->st_ctim.tv_sec && one->st_ctim.tv_nsec == other->st_ctim.tv_nsec;
}

/// `gpu 0 name NVIDIA H100` has a value with spaces, so the fourth word of such a line is the rest of it.
static void take(char *text) {
    text[strcspn(text, "#\n")] = 0;
    Line line = {0};
    char *at = text;
    while (line.count < script_words) {
        at += strspn(at, " \t");
        if (!*at) break;
        bool is_rest = line.count == 3 && strcmp(line.words[0], "gpu") == 0;
        size_t length = is_rest ? strlen(at) : strcspn(at, " \t");
        while (is_rest && length && strchr(" \t", at[length - 1])) length--;
        snprintf(line.words[line.count++], script_word, "%.*s", (int)length, at);
        at += length;
    }
    if (line.count && count < (int)(sizeof lines / sizeof *lines)) lines[count++] = line;
}

void script_load(void) {
    struct stat now;
    if (stat(path(), &now) != 0) {
        count = 0;
        memset(&read_last, 0, sizeof read_last);
        return;
    }
    if (is_same(&now, &read_last)) return;
    FILE *file = fopen(path(), "r");
    if (!file) return;
    // What was opened may be a newer file than what was looked at.
    fstat(fileno(file), &read_last);
    count = 0;
    char text[512];
    while (fgets(text, sizeof text, file)) take(text);
    fclose(file);
}

int script_lines(void) { return count; }

const Line *script_line(int number) { return &lines[number]; }

bool script_means(const char *word, int gpu) { return strcmp(word, "*") == 0 || (gpu >= 0 && atoi(word) == gpu); }

const char *script_text(const char *first, const char *otherwise) {
    for (int i = count - 1; i >= 0; i--)
        if (lines[i].count == 2 && strcmp(lines[i].words[0], first) == 0) return lines[i].words[1];
    return otherwise;
}

long long script_number(const char *first, long long otherwise) {
    const char *text = script_text(first, NULL);
    return text ? atoll(text) : otherwise;
}

const char *script_value(int gpu, const char *key) {
    for (int i = count - 1; i >= 0; i--)
        if (lines[i].count == 4 && strcmp(lines[i].words[0], "gpu") == 0 && strcmp(lines[i].words[2], key) == 0
            && script_means(lines[i].words[1], gpu))
            return lines[i].words[3];
    return NULL;
}

const Line *script_rule(const char *first, const char *second, int gpu) {
    for (int i = count - 1; i >= 0; i--)
        if (lines[i].count >= 3 && strcmp(lines[i].words[0], first) == 0 && strcmp(lines[i].words[1], second) == 0
            && script_means(lines[i].words[2], gpu))
            return &lines[i];
    return NULL;
}
