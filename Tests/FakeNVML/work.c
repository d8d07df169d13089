// Who works on a GPU, and what goes wrong there.
#include "fake.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { most_processes = 256, mib = 1 << 20 };

struct nvmlEventSet_st {
    int unused;
};

static bool is_kind(const Line *line, const char *kind) {
    return strcmp(line->count > 4 ? line->words[4] : "compute", kind) == 0;
}

static int gather(nvmlDevice_t device, const char *kind, nvmlProcessInfo_v2_t *found) {
    int count = 0;
    for (int i = 0; i < script_lines(); i++) {
        const Line *line = script_line(i);
        if (line->count < 3 || !script_means(line->words[1], gpu_of(device))) continue;
        if (strcmp(line->words[0], "process") == 0 && line->count > 3 && is_kind(line, kind)) {
            if (count == most_processes) break;
            found[count++] = (nvmlProcessInfo_v2_t){
                .pid = (unsigned int)strtoul(line->words[2], NULL, 10),
                .usedGpuMemory = strcmp(line->words[3], "-") ? strtoull(line->words[3], NULL, 10) : ~0ull,
                .gpuInstanceId = line->count > 5 ? (unsigned int)atoi(line->words[5]) : ~0u,
                .computeInstanceId = line->count > 6 ? (unsigned int)atoi(line->words[6]) : ~0u,
            };
        } else if (strcmp(line->words[0], "processes") == 0 && strcmp(kind, "compute") == 0) {
            for (int k = 0; k < atoi(line->words[2]) && count < most_processes; k++)
                found[count++] = (nvmlProcessInfo_v2_t){100000u + (unsigned int)k, 256ull * mib, ~0u, ~0u};
        }
    }
    return count;
}

static nvmlReturn_t list(nvmlDevice_t device, const char *kind, unsigned int *room, nvmlProcessInfo_v2_t *processes) {
    nvmlProcessInfo_v2_t found[most_processes];
    int count = gather(device, kind, found);
    bool fits = (unsigned int)count <= *room;
    *room = (unsigned int)count;
    if (!fits) return 7;
    if (count) memcpy(processes, found, sizeof *found * (size_t)count);
    return 0;
}

#define LIST(function, kind)                                                                            \
    nvmlReturn_t function(nvmlDevice_t device, unsigned int *room, nvmlProcessInfo_v2_t *processes) {    \
        BEGIN(gpu_of(device));                                                                           \
        return list(device, kind, room, processes);                                                      \
    }

LIST(nvmlDeviceGetComputeRunningProcesses_v3, "compute")
LIST(nvmlDeviceGetGraphicsRunningProcesses_v3, "graphics")
LIST(nvmlDeviceGetMPSComputeRunningProcesses_v3, "mps")

// The form of old libraries.
nvmlReturn_t nvmlDeviceGetComputeRunningProcesses(
    nvmlDevice_t device, unsigned int *room, nvmlProcessInfo_v1_t *processes) {
    BEGIN(gpu_of(device));
    nvmlProcessInfo_v2_t found[most_processes];
    unsigned int asked = *room;
    *room = most_processes;
    list(device, "compute", room, found);
    if (*room > asked) return 7;
    for (unsigned int i = 0; i < *room; i++)
        processes[i] = (nvmlProcessInfo_v1_t){found[i].pid, found[i].usedGpuMemory};
    return 0;
}

static struct nvmlEventSet_st event_set;
static long long last_event;

static long long newest_event(void) {
    long long newest = 0;
    for (int i = 0; i < script_lines(); i++) {
        const Line *line = script_line(i);
        if (line->count == 5 && strcmp(line->words[0], "xid") == 0 && atoll(line->words[2]) > newest)
            newest = atoll(line->words[2]);
    }
    return newest;
}

nvmlReturn_t nvmlEventSetCreate(nvmlEventSet_t *set) {
    BEGIN(-1);
    last_event = newest_event();
    *set = &event_set;
    return 0;
}

nvmlReturn_t nvmlDeviceRegisterEvents(nvmlDevice_t device, unsigned long long kinds, nvmlEventSet_t set) {
    BEGIN(gpu_of(device));
    return set == &event_set && kinds == nvmlEventTypeXidCriticalError ? 0 : 2;
}

nvmlReturn_t nvmlEventSetFree(nvmlEventSet_t set) {
    BEGIN(-1);
    return set == &event_set ? 0 : 2;
}

/// The next after the one that was handed over last.
static bool next_event(nvmlEventData_t *data) {
    for (int i = 0; i < script_lines(); i++) {
        const Line *line = script_line(i);
        if (line->count != 5 || strcmp(line->words[0], "xid") != 0) continue;
        if (last_event + 1 < atoll(line->words[1]) || last_event + 1 > atoll(line->words[2])) continue;
        last_event++;
        memset(data, 0, sizeof *data);
        data->device = &devices[atoi(line->words[3])][0];
        data->eventType = nvmlEventTypeXidCriticalError;
        data->eventData = strtoull(line->words[4], NULL, 10);
        data->gpuInstanceId = data->computeInstanceId = ~0u;
        return true;
    }
    return false;
}

static long long milliseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000ll + now.tv_nsec / 1000000;
}

nvmlReturn_t nvmlEventSetWait_v2(nvmlEventSet_t set, nvmlEventData_t *data, unsigned int limit) {
    BEGIN(-1);
    if (set != &event_set) return 2;
    long long end = milliseconds() + limit;
    while (!next_event(data)) {
        long long left = end - milliseconds();
        if (left <= 0) return 10;
        // Seldom, for who measures a program would else measure this.
        pause_briefly(left < 200 ? left : 200);
    }
    return 0;
}
