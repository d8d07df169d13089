// What the parts of the fake driver share.
#pragma once
#include <pthread.h>
#include <stddef.h>

#include "../../Sources/CNVML/nvml.h"
#include "script.h"

enum { most_gpus = 16, most_parts = 7 };

/// One GPU, or one part of it; part 0 is the whole.
struct nvmlDevice_st {
    int unused;
};

extern struct nvmlDevice_st devices[most_gpus][most_parts + 1];

static inline int gpu_of(nvmlDevice_t device) { return (int)(device - &devices[0][0]) / (most_parts + 1); }
static inline int part_of(nvmlDevice_t device) { return (int)(device - &devices[0][0]) % (most_parts + 1); }
static inline bool is_part(nvmlDevice_t device) { return part_of(device) > 0; }

typedef struct {
    nvmlReturn_t code;
} Call;

/// What each call begins with. The lock is held until `leave`, but not while the call hangs.
Call enter(const char *function, int gpu);
void leave(Call *call);
/// With the lock held: lets others in for a moment, and reads the script again.
void pause_briefly(long milliseconds);

#define BEGIN(gpu)                                                    \
    Call call __attribute__((cleanup(leave))) = enter(__func__, gpu); \
    if (call.code) return call.code

/// A value of a GPU; code 3 where the script says that it cannot tell, or where there is neither it nor the other.
nvmlReturn_t number(nvmlDevice_t device, const char *key, long long otherwise, unsigned long long *value);
nvmlReturn_t small(nvmlDevice_t device, const char *key, long long otherwise, unsigned int *value);
nvmlReturn_t text(nvmlDevice_t device, const char *key, const char *otherwise, char *room, unsigned int length);
unsigned long long get(nvmlDevice_t device, const char *key, long long otherwise);
nvmlReturn_t put(char *room, unsigned int length, const char *text);
