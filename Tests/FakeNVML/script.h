// The script of the fake driver. It is read again whenever the file has changed.
//
//     gpus 8                       how many there are; without a script there are none
//     driver 550.54.15             and `nvml 12.550.54.15`, `cuda 12040`
//     init 9                       what nvmlInit returns; 9: the module is not loaded, 18: versions differ
//     epoch 2                      another number than at nvmlInit: the driver was exchanged, all calls return 1
//     gpu 3 temperature 91         a value of GPU 3 (`*`: of all), keys in device.c; `-`: it cannot tell
//     gpu 3 lost 1                 all its calls return 15
//     process 3 4711 1073741824    PID, bytes; then perhaps: compute|graphics|mps, GPU instance, compute instance
//     processes 3 100              so many, by PID from 100000 on, of 256 MiB each
//     xid 1 5 3 79                 events number 1 to 5: XID 79 on GPU 3. Each is handed over once; those that
//                                  stand there when a set of events is made are past
//     fail nvmlDeviceGetName 3 999 what the function returns
//     hang nvmlDeviceGetName 3     it does not return while this line stands
//
// What comes later counts more. `#` begins a comment. Change the file by a rename over it.
#pragma once
#include <stdbool.h>

enum { script_words = 8, script_word = 64 };

typedef struct {
    int count;
    char words[script_words][script_word];
} Line;

/// Reads the file anew if it is another one. Called with the lock held.
void script_load(void);
int script_lines(void);
const Line *script_line(int number);

/// The last word of the last line that begins with this one; or the other.
const char *script_text(const char *first, const char *otherwise);
long long script_number(const char *first, long long otherwise);
/// The value of a GPU; NULL where the script does not speak of it.
const char *script_value(int gpu, const char *key);
/// The last line `first second GPU …`; NULL where there is none.
const Line *script_rule(const char *first, const char *second, int gpu);
/// Whether the word means this GPU. -1 is no single GPU.
bool script_means(const char *word, int gpu);
