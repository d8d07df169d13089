// What is asked of one GPU. The keys of the script are the words in quotes.
#include "fake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { mib = 1 << 20 };

static void write_bus(nvmlDevice_t device, char *room, size_t length) {
    const char *given = script_value(gpu_of(device), "bus");
    unsigned int domain = 0, bus = 0x10 + (unsigned int)gpu_of(device), place = 0;
    if (given) sscanf(given, "%x:%x:%x", &domain, &bus, &place);
    snprintf(room, length, "%08X:%02X:%02X.0", domain, bus, place);
}

nvmlReturn_t nvmlDeviceGetPciInfo_v3(nvmlDevice_t device, nvmlPciInfo_t *info) {
    // The library knows it even of a lost GPU.
    BEGIN(-1);
    memset(info, 0, sizeof *info);
    write_bus(device, info->busId, sizeof info->busId);
    sscanf(info->busId, "%x:%x:%x", &info->domain, &info->bus, &info->device);
    snprintf(info->busIdLegacy, sizeof info->busIdLegacy, "%s", info->busId + 4);
    info->pciDeviceId = 0x233010de;
    return 0;
}

nvmlReturn_t nvmlDeviceGetUUID(nvmlDevice_t device, char *room, unsigned int length) {
    BEGIN(gpu_of(device));
    char uuid[64];
    snprintf(
        uuid, sizeof uuid, "%s-%08x-0000-4000-8000-%012x", is_part(device) ? "MIG" : "GPU", gpu_of(device),
        part_of(device));
    return is_part(device) ? put(room, length, uuid) : text(device, "uuid", uuid, room, length);
}

nvmlReturn_t nvmlDeviceGetName(nvmlDevice_t device, char *room, unsigned int length) {
    BEGIN(gpu_of(device));
    char name[96] = "";
    nvmlReturn_t code = text(device, "name", "NVIDIA H100 80GB HBM3", name, sizeof name);
    if (is_part(device)) strncat(name, " MIG 1g.10gb", sizeof name - strlen(name) - 1);
    return code ? code : put(room, length, name);
}

nvmlReturn_t nvmlDeviceGetSerial(nvmlDevice_t device, char *room, unsigned int length) {
    BEGIN(gpu_of(device));
    return text(device, "serial", "1650000000000", room, length);
}

nvmlReturn_t nvmlDeviceGetVbiosVersion(nvmlDevice_t device, char *room, unsigned int length) {
    BEGIN(gpu_of(device));
    return text(device, "vbios", "96.00.74.00.01", room, length);
}

static unsigned long long share(nvmlDevice_t device, unsigned long long bytes) {
    return is_part(device) ? bytes / 8 : bytes;
}

nvmlReturn_t nvmlDeviceGetMemoryInfo_v2(nvmlDevice_t device, nvmlMemory_v2_t *memory) {
    BEGIN(gpu_of(device));
    if (memory->version != nvmlMemory_v2) return 25;
    memory->total = share(device, get(device, "memory", 81559ll * mib));
    memory->reserved = share(device, get(device, "reserved", 551ll * mib));
    memory->used = share(device, get(device, "used", 0));
    memory->free = memory->total - memory->reserved - memory->used;
    return 0;
}

nvmlReturn_t nvmlDeviceGetMemoryInfo(nvmlDevice_t device, nvmlMemory_t *memory) {
    BEGIN(gpu_of(device));
    memory->total = share(device, get(device, "memory", 81559ll * mib));
    memory->used = share(device, get(device, "used", 0) + get(device, "reserved", 551ll * mib));
    memory->free = memory->total - memory->used;
    return 0;
}

// Of a GPU with MIG, NVML does not tell how busy it is.
nvmlReturn_t nvmlDeviceGetUtilizationRates(nvmlDevice_t device, nvmlUtilization_t *utilization) {
    BEGIN(gpu_of(device));
    if (get(device, "mig", 0)) return 3;
    nvmlReturn_t code = small(device, "utilization", 0, &utilization->gpu);
    return code ? code : small(device, "memory-utilization", 0, &utilization->memory);
}

nvmlReturn_t nvmlDeviceGetEncoderUtilization(nvmlDevice_t device, unsigned int *value, unsigned int *period) {
    BEGIN(gpu_of(device));
    *period = 167000;
    return small(device, "encoder", 0, value);
}

nvmlReturn_t nvmlDeviceGetDecoderUtilization(nvmlDevice_t device, unsigned int *value, unsigned int *period) {
    BEGIN(gpu_of(device));
    *period = 167000;
    return small(device, "decoder", 0, value);
}

nvmlReturn_t nvmlDeviceGetClockInfo(nvmlDevice_t device, unsigned int clock, unsigned int *value) {
    BEGIN(gpu_of(device));
    return clock == 2 ? small(device, "memory-clock", 2619, value) : small(device, "sm-clock", 1980, value);
}

nvmlReturn_t nvmlDeviceGetTemperature(nvmlDevice_t device, unsigned int sensor, unsigned int *value) {
    BEGIN(gpu_of(device));
    return sensor ? 2 : small(device, "temperature", 35, value);
}

nvmlReturn_t nvmlDeviceGetTotalEnergyConsumption(nvmlDevice_t device, unsigned long long *value) {
    BEGIN(gpu_of(device));
    return number(device, "energy", 1000000, value);
}

nvmlReturn_t nvmlDeviceGetCurrentClocksEventReasons(nvmlDevice_t device, unsigned long long *value) {
    BEGIN(gpu_of(device));
    return number(device, "reasons", 1, value);
}

nvmlReturn_t nvmlDeviceGetCurrentClocksThrottleReasons(nvmlDevice_t device, unsigned long long *value) {
    BEGIN(gpu_of(device));
    return number(device, "reasons", 1, value);
}

/// Functions that give one number by a key.
#define NUMBER(function, key, otherwise)                                \
    nvmlReturn_t function(nvmlDevice_t device, unsigned int *value) {    \
        BEGIN(gpu_of(device));                                           \
        return small(device, key, otherwise, value);                     \
    }

NUMBER(nvmlDeviceGetIndex, "index", gpu_of(device))
NUMBER(nvmlDeviceGetMinorNumber, "minor", gpu_of(device))
NUMBER(nvmlDeviceGetPowerUsage, "power", 70000)
NUMBER(nvmlDeviceGetPowerManagementLimit, "power-limit", 700000)
NUMBER(nvmlDeviceGetPowerManagementDefaultLimit, "power-standard", 700000)
NUMBER(nvmlDeviceGetEnforcedPowerLimit, "power-limit", 700000)
NUMBER(nvmlDeviceGetPersistenceMode, "persistence", 1)
NUMBER(nvmlDeviceGetMaxPcieLinkGeneration, "pcie-max-generation", 5)
NUMBER(nvmlDeviceGetMaxPcieLinkWidth, "pcie-max-width", 16)
NUMBER(nvmlDeviceGetCurrPcieLinkGeneration, "pcie-generation", 5)
NUMBER(nvmlDeviceGetCurrPcieLinkWidth, "pcie-width", 16)
NUMBER(nvmlDeviceGetPcieReplayCounter, "replays", 0)
NUMBER(nvmlDeviceGetFanSpeed, "fan", -1)
NUMBER(nvmlDeviceGetPerformanceState, "pstate", 0)
NUMBER(nvmlDeviceGetGpuInstanceId, "gpu-instance", part_of(device) + 6)
NUMBER(nvmlDeviceGetComputeInstanceId, "compute-instance", 0)

/// Functions that give two.
#define TWO(function, key, otherwise, other, its_otherwise)                                     \
    nvmlReturn_t function(nvmlDevice_t device, unsigned int *value, unsigned int *its_other) {   \
        BEGIN(gpu_of(device));                                                                   \
        nvmlReturn_t code = small(device, key, otherwise, value);                                \
        return code ? code : small(device, other, its_otherwise, its_other);                     \
    }

TWO(nvmlDeviceGetPowerManagementLimitConstraints, "power-least", 200000, "power-most", 700000)
TWO(nvmlDeviceGetEccMode, "ecc", 1, "ecc-next", *value)

nvmlReturn_t nvmlDeviceGetMigMode(nvmlDevice_t device, unsigned int *now, unsigned int *next) {
    BEGIN(gpu_of(device));
    *now = get(device, "mig", 0) > 0;
    return small(device, "mig-next", *now, next);
}

nvmlReturn_t nvmlDeviceGetMaxMigDeviceCount(nvmlDevice_t device, unsigned int *count) {
    BEGIN(gpu_of(device));
    *count = most_parts;
    return 0;
}

nvmlReturn_t nvmlDeviceGetMigDeviceHandleByIndex(nvmlDevice_t device, unsigned int index, nvmlDevice_t *part) {
    BEGIN(gpu_of(device));
    if (index >= get(device, "mig", 0)) return 6;
    *part = &devices[gpu_of(device)][index + 1];
    return 0;
}

nvmlReturn_t nvmlDeviceGetTotalEccErrors(
    nvmlDevice_t device, unsigned int kind, unsigned int counter, unsigned long long *count) {
    BEGIN(gpu_of(device));
    static const char *keys[2][2] = {{"corrected", "corrected-ever"}, {"uncorrected", "uncorrected-ever"}};
    if (kind > 1 || counter > 1) return 2;
    return get(device, "ecc", 1) ? number(device, keys[kind][counter], 0, count) : 3;
}

nvmlReturn_t nvmlDeviceGetRemappedRows(
    nvmlDevice_t device, unsigned int *corrected, unsigned int *uncorrected, unsigned int *pending,
    unsigned int *failed) {
    BEGIN(gpu_of(device));
    nvmlReturn_t code = small(device, "rows-corrected", 0, corrected);
    *uncorrected = (unsigned int)get(device, "rows-uncorrected", 0);
    *pending = (unsigned int)get(device, "rows-pending", 0);
    *failed = (unsigned int)get(device, "rows-failed", 0);
    return code;
}

nvmlReturn_t nvmlDeviceGetNvLinkState(nvmlDevice_t device, unsigned int link, unsigned int *state) {
    BEGIN(gpu_of(device));
    if (link >= get(device, "nvlinks", 0)) return link < 36 ? 3 : 2;
    *state = link >= get(device, "nvlinks-down", 0);
    return 0;
}

nvmlReturn_t nvmlDeviceGetNvLinkVersion(nvmlDevice_t device, unsigned int link, unsigned int *version) {
    (void)link;
    BEGIN(gpu_of(device));
    *version = 7;
    return 0;
}

nvmlReturn_t nvmlDeviceGetNvLinkRemotePciInfo_v2(nvmlDevice_t device, unsigned int link, nvmlPciInfo_t *info) {
    BEGIN(gpu_of(device));
    memset(info, 0, sizeof *info);
    info->bus = 0xc0 + link % 4;
    return 0;
}

nvmlReturn_t nvmlDeviceGetGpuFabricInfoV(nvmlDevice_t device, nvmlGpuFabricInfo_v2_t *info) {
    BEGIN(gpu_of(device));
    if (info->version != nvmlGpuFabricInfo_v2) return 25;
    info->state = (unsigned char)get(device, "fabric-state", 0);
    info->status = (nvmlReturn_t)get(device, "fabric-status", 0);
    info->healthMask = (unsigned int)get(device, "fabric-health", 0);
    return 0;
}

nvmlReturn_t nvmlDeviceGetFieldValues(nvmlDevice_t device, int count, nvmlFieldValue_t *values) {
    BEGIN(gpu_of(device));
    static const struct {
        unsigned int field;
        const char *key;
        long long otherwise;
    } known[] = {
        {29, "pages-sbe", -1},      {30, "pages-dbe", -1},      {31, "pages-pending", -1},
        {38, "nvlink-crc", -1},     {45, "nvlink-data", -1},    {52, "nvlink-replay", -1},
        {59, "nvlink-recovery", -1}, {74, "power-violation", 0}, {75, "heat-violation", 0},
        {82, "memory-temperature", 45}, {161, "link-replay", -1}, {163, "link-crc", -1},
        {208, "link-received", -1}, {230, "recovery", 0},
    };
    for (int i = 0; i < count; i++) {
        values[i].nvmlReturn = 3;
        values[i].valueType = NVML_VALUE_TYPE_UNSIGNED_LONG_LONG;
        for (size_t k = 0; k < sizeof known / sizeof *known; k++)
            if (known[k].field == values[i].fieldId)
                values[i].nvmlReturn = number(device, known[k].key, known[k].otherwise, &values[i].value.ullVal);
    }
    return 0;
}
