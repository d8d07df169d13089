// A driver of our own making: NVML's functions, answering from a script (script.h tells how it is written).
// Here: what is not asked of a GPU, and what all calls share.
#define _GNU_SOURCE
#include "fake.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

struct nvmlDevice_st devices[most_gpus][most_parts + 1];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int openings;
static long long epoch;

void pause_briefly(long milliseconds) {
    pthread_mutex_unlock(&lock);
    nanosleep(&(struct timespec){.tv_nsec = milliseconds * 1000000}, NULL);
    pthread_mutex_lock(&lock);
    script_load();
}

void leave(Call *call) {
    (void)call;
    pthread_mutex_unlock(&lock);
}

Call enter(const char *function, int gpu) {
    pthread_mutex_lock(&lock);
    script_load();
    while (script_rule("hang", function, gpu)) pause_briefly(2);
    const Line *failure = script_rule("fail", function, gpu);
    if (failure) return (Call){atoi(failure->words[3])};
    if (!openings || epoch != script_number("epoch", 0)) return (Call){1};
    if (gpu < 0) return (Call){0};
    if (gpu >= script_number("gpus", 0)) return (Call){15};
    const char *lost = script_value(gpu, "lost");
    return (Call){lost && atoi(lost) ? 15 : 0};
}

nvmlReturn_t number(nvmlDevice_t device, const char *key, long long otherwise, unsigned long long *value) {
    const char *text = script_value(gpu_of(device), key);
    if (text && strcmp(text, "-") == 0) return 3;
    if (!text && otherwise < 0) return 3;
    *value = text ? strtoull(text, NULL, 0) : (unsigned long long)otherwise;
    return 0;
}

nvmlReturn_t small(nvmlDevice_t device, const char *key, long long otherwise, unsigned int *value) {
    unsigned long long found = 0;
    nvmlReturn_t code = number(device, key, otherwise, &found);
    if (!code) *value = (unsigned int)found;
    return code;
}

unsigned long long get(nvmlDevice_t device, const char *key, long long otherwise) {
    unsigned long long value = 0;
    return number(device, key, otherwise, &value) ? 0 : value;
}

nvmlReturn_t put(char *room, unsigned int length, const char *text) {
    if (strlen(text) + 1 > length) return 7;
    strcpy(room, text);
    return 0;
}

nvmlReturn_t text(nvmlDevice_t device, const char *key, const char *otherwise, char *room, unsigned int length) {
    const char *found = script_value(gpu_of(device), key);
    if (found && strcmp(found, "-") == 0) return 3;
    return put(room, length, found ? found : otherwise);
}

nvmlReturn_t nvmlInitWithFlags(unsigned int flags) {
    (void)flags;
    pthread_mutex_lock(&lock);
    openings++;
    script_load();
    epoch = script_number("epoch", 0);
    pthread_mutex_unlock(&lock);
    Call call __attribute__((cleanup(leave))) = enter("nvmlInit_v2", -1);
    nvmlReturn_t code = call.code ? call.code : (nvmlReturn_t)script_number("init", 0);
    if (code) openings--;
    return code;
}

nvmlReturn_t nvmlInit_v2(void) { return nvmlInitWithFlags(0); }
nvmlReturn_t nvmlInit(void) { return nvmlInitWithFlags(0); }

nvmlReturn_t nvmlShutdown(void) {
    BEGIN(-1);
    openings--;
    return 0;
}

const char *nvmlErrorString(nvmlReturn_t code) { return code ? "an error of the fake driver" : "Success"; }

nvmlReturn_t nvmlSystemGetDriverVersion(char *room, unsigned int length) {
    BEGIN(-1);
    return put(room, length, script_text("driver", "550.54.15"));
}

nvmlReturn_t nvmlSystemGetNVMLVersion(char *room, unsigned int length) {
    BEGIN(-1);
    return put(room, length, script_text("nvml", "12.550.54.15"));
}

nvmlReturn_t nvmlSystemGetCudaDriverVersion_v2(int *version) {
    BEGIN(-1);
    *version = (int)script_number("cuda", 12040);
    return 0;
}

nvmlReturn_t nvmlDeviceGetCount_v2(unsigned int *count) {
    BEGIN(-1);
    *count = (unsigned int)script_number("gpus", 0);
    return 0;
}

// Hangs and failures are of what is asked of a GPU; to name it is none of that.
nvmlReturn_t nvmlDeviceGetHandleByIndex_v2(unsigned int index, nvmlDevice_t *device) {
    BEGIN(-1);
    if (index >= most_gpus || index >= script_number("gpus", 0)) return 2;
    *device = &devices[index][0];
    return 0;
}
