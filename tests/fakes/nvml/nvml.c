/* A stand-in for NVIDIA's libnvidia-ml.so.1. Its state is the file named by FAKE_NVML, read anew at each call: lines
 * of key=value. It refuses what the real one refuses: calls before nvmlInit, handles of an earlier session.
 *
 *   init=CODE              what nvmlInit returns (0)
 *   generation=N           another number than at nvmlInit: the driver was restarted, so all answer UNINITIALIZED
 *   release=N              the kernel module's: nvmlInit refuses it if it is not this library's (RELEASE)
 *   count=N                GPUs
 *   error.FUNCTION=CODE    what a function answers, for every GPU; I.error.FUNCTION for GPU I
 *   hang.FUNCTION=1        it does not return as long as this stands
 *   I.lost=1               GPU I is lost
 *   I.KEY=VALUE            its values; instances (MIG) are I:M.KEY
 *   xids=I:CODE,I:CODE     events so far; a set of events is given those since the GPU was registered with it
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SUCCESS 0
#define UNINITIALIZED 1
#define INVALID_ARGUMENT 2
#define NOT_SUPPORTED 3
#define NOT_FOUND 6
#define INSUFFICIENT_SIZE 7
#define DRIVER_NOT_LOADED 9
#define TIMEOUT 10
#define LOST 15
#define VERSION_MISMATCH 18

#ifndef RELEASE
#define RELEASE 1
#endif

typedef unsigned int u32;
typedef unsigned long long u64;
typedef struct { int session, gpu, part; } device;
typedef struct { int session, registered, heard; } events;
typedef struct { device *device; u64 type, data; u32 gi, ci; } event;
typedef struct { u32 pid; u64 used; u32 gi, ci; } process;
typedef struct { u32 version; int margin; } margin;

static int open_count, session, made;
static char generation[64];
static device devices[64][8][9];
static events sets[256];

static int look(const char *key, char *out, size_t size) {
    const char *path = getenv("FAKE_NVML");
    FILE *file = path ? fopen(path, "r") : NULL;
    char line[4096];
    int found = 0;
    size_t length = strlen(key);
    out[0] = 0;
    if (!file) return 0;
    while (!found && fgets(line, sizeof line, file)) {
        if (strncmp(line, key, length) == 0 && line[length] == '=') {
            line[strcspn(line, "\n")] = 0;
            snprintf(out, size, "%s", line + length + 1);
            found = 1;
        }
    }
    fclose(file);
    return found;
}

static long long number(const char *key, long long otherwise) {
    char text[64];
    return look(key, text, sizeof text) ? atoll(text) : otherwise;
}

static void hang(const char *function) {
    const struct timespec moment = {0, 5000000};
    char key[128];
    snprintf(key, sizeof key, "hang.%s", function);
    while (number(key, 0)) nanosleep(&moment, NULL);
}

static int failing(const char *function) {
    char key[128], now[64];
    hang(function);
    if (!open_count) return UNINITIALIZED;
    look("generation", now, sizeof now);
    if (strcmp(now, generation)) return UNINITIALIZED;
    snprintf(key, sizeof key, "error.%s", function);
    return (int)number(key, SUCCESS);
}

static int of_device(device *d, const char *function) {
    char key[160];
    int code = failing(function);
    if (code) return code;
    if (!d || d->session != session) return INVALID_ARGUMENT;
    snprintf(key, sizeof key, "%d.lost", d->gpu);
    if (number(key, 0)) return LOST;
    snprintf(key, sizeof key, "%d.error.%s", d->gpu, function);
    return (int)number(key, SUCCESS);
}

static int value(device *d, const char *function, const char *name, u64 *out) {
    char key[160], text[64];
    int code = of_device(d, function);
    if (code) return code;
    if (d->part < 0) snprintf(key, sizeof key, "%d.%s", d->gpu, name);
    else snprintf(key, sizeof key, "%d:%d.%s", d->gpu, d->part, name);
    if (!look(key, text, sizeof text)) return NOT_SUPPORTED;
    *out = strtoull(text, NULL, 10);
    return SUCCESS;
}

static int value32(device *d, const char *function, const char *name, u32 *out) {
    u64 found = 0;
    int code = value(d, function, name, &found);
    if (!code) *out = (u32)found;
    return code;
}

int nvmlInitWithFlags(u32 flags) {
    int code = (int)number("init", SUCCESS);
    (void)flags;
    hang("nvmlInitWithFlags");
    if (code) return code;
    if (number("release", RELEASE) != RELEASE) return VERSION_MISMATCH;
    if (!open_count) session = session % 63 + 1;
    look("generation", generation, sizeof generation);
    open_count++;
    return SUCCESS;
}

int nvmlShutdown(void) {
    if (!open_count) return UNINITIALIZED;
    open_count--;
    return SUCCESS;
}

const char *nvmlErrorString(int code) { (void)code; return "an error of the stand-in"; }

int nvmlSystemGetDriverVersion(char *out, u32 size) {
    int code = failing("nvmlSystemGetDriverVersion");
    if (!code) snprintf(out, size, "550.54");
    return code;
}

int nvmlDeviceGetCount_v2(u32 *count) {
    int code = failing("nvmlDeviceGetCount_v2");
    if (!code) *count = (u32)number("count", 0);
    return code;
}

int nvmlDeviceGetHandleByIndex_v2(u32 index, device **out) {
    int code = failing("nvmlDeviceGetHandleByIndex_v2");
    device *d;
    if (code) return code;
    if (index >= (u32)number("count", 0) || index >= 8) return INVALID_ARGUMENT;
    d = &devices[session][index][0];
    d->session = session, d->gpu = (int)index, d->part = -1;
    code = of_device(d, "nvmlDeviceGetHandleByIndex_v2");
    if (!code) *out = d;
    return code;
}

int nvmlDeviceGetUUID(device *d, char *out, u32 size) {
    char key[64], text[96];
    int code = of_device(d, "nvmlDeviceGetUUID");
    if (code) return code;
    snprintf(key, sizeof key, "%d.uuid", d->gpu);
    if (d->part >= 0) snprintf(out, size, "MIG-%d-%d", d->gpu, d->part);
    else if (look(key, text, sizeof text)) snprintf(out, size, "%s", text);
    else snprintf(out, size, "GPU-%d", d->gpu);
    return SUCCESS;
}

int nvmlDeviceGetUtilizationRates(device *d, u32 *out) {
    return value32(d, "nvmlDeviceGetUtilizationRates", "utilization", &out[0]);
}

int nvmlDeviceGetMemoryInfo(device *d, u64 *out) {
    int code = value(d, "nvmlDeviceGetMemoryInfo", "memory_total", &out[0]);
    if (!code) code = value(d, "nvmlDeviceGetMemoryInfo", "memory_used", &out[2]);
    out[1] = out[0] - out[2];
    return code;
}

int nvmlDeviceGetTemperature(device *d, int sensor, u32 *out) {
    return sensor ? INVALID_ARGUMENT : value32(d, "nvmlDeviceGetTemperature", "temperature", out);
}

int nvmlDeviceGetTemperatureThreshold(device *d, int kind, u32 *out) {
    return kind != 1 ? INVALID_ARGUMENT : value32(d, "nvmlDeviceGetTemperatureThreshold", "slowdown", out);
}

int nvmlDeviceGetMarginTemperature(device *d, margin *out) {
    return out->version != 0x1000008 ? INVALID_ARGUMENT
                                     : value32(d, "nvmlDeviceGetMarginTemperature", "margin", (u32 *)&out->margin);
}

int nvmlDeviceGetPowerUsage(device *d, u32 *out) { return value32(d, "nvmlDeviceGetPowerUsage", "power", out); }

int nvmlDeviceGetEnforcedPowerLimit(device *d, u32 *out) {
    return value32(d, "nvmlDeviceGetEnforcedPowerLimit", "power_limit", out);
}

int nvmlDeviceGetTotalEnergyConsumption(device *d, u64 *out) {
    return value(d, "nvmlDeviceGetTotalEnergyConsumption", "energy", out);
}

int nvmlDeviceGetClockInfo(device *d, int kind, u32 *out) {
    char name[16];
    snprintf(name, sizeof name, "clock%d", kind);
    return value32(d, "nvmlDeviceGetClockInfo", name, out);
}

int nvmlDeviceGetCurrentClocksEventReasons(device *d, u64 *out) {
    return value(d, "nvmlDeviceGetCurrentClocksEventReasons", "reasons", out);
}

int nvmlDeviceGetCurrentClocksThrottleReasons(device *d, u64 *out) {
    return value(d, "nvmlDeviceGetCurrentClocksThrottleReasons", "reasons", out);
}

int nvmlDeviceGetTotalEccErrors(device *d, int type, int counter, u64 *out) {
    char name[16];
    if (counter) return INVALID_ARGUMENT;
    snprintf(name, sizeof name, "ecc%d", type);
    return value(d, "nvmlDeviceGetTotalEccErrors", name, out);
}

int nvmlDeviceGetPcieThroughput(device *d, int counter, u32 *out) {
    char name[16];
    snprintf(name, sizeof name, "pcie%d", counter);
    return value32(d, "nvmlDeviceGetPcieThroughput", name, out);
}

static int processes(device *d, const char *function, u32 *count, process *out) {
    char key[64], text[1024], *at = text;
    u32 found = 0, room = *count;
    int code = of_device(d, function);
    if (code) return code;
    if (d->part < 0) snprintf(key, sizeof key, "%d.processes", d->gpu);
    else snprintf(key, sizeof key, "%d:%d.processes", d->gpu, d->part);
    look(key, text, sizeof text);
    while (*at) {
        u32 pid = (u32)strtoul(at, &at, 10);
        u64 used = *at == ':' ? strtoull(at + 1, &at, 10) : 0;
        if (out && found < room) out[found] = (process){pid, used, 0, 0};
        found++;
        if (*at == ',') at++;
    }
    *count = found;
    return found > room ? INSUFFICIENT_SIZE : SUCCESS;
}

int nvmlDeviceGetComputeRunningProcesses_v3(device *d, u32 *count, process *out) {
    return processes(d, "nvmlDeviceGetComputeRunningProcesses_v3", count, out);
}

int nvmlDeviceGetComputeRunningProcesses_v2(device *d, u32 *count, process *out) {
    return processes(d, "nvmlDeviceGetComputeRunningProcesses_v2", count, out);
}

int nvmlDeviceGetMigMode(device *d, u32 *now, u32 *pending) {
    int code = value32(d, "nvmlDeviceGetMigMode", "mig", now);
    *pending = *now;
    return code;
}

int nvmlDeviceGetMaxMigDeviceCount(device *d, u32 *count) {
    *count = 7;
    return of_device(d, "nvmlDeviceGetMaxMigDeviceCount");
}

int nvmlDeviceGetMigDeviceHandleByIndex(device *d, u32 index, device **out) {
    char key[64];
    device *part;
    int code = of_device(d, "nvmlDeviceGetMigDeviceHandleByIndex");
    if (code) return code;
    snprintf(key, sizeof key, "%d:%u.memory_total", d->gpu, index);
    if (index >= 7 || number(key, -1) < 0) return NOT_FOUND;
    part = &devices[session][d->gpu][index + 1];
    part->session = session, part->gpu = d->gpu, part->part = (int)index;
    *out = part;
    return SUCCESS;
}

int nvmlEventSetCreate(events **out) {
    int code = failing("nvmlEventSetCreate");
    if (code) return code;
    *out = &sets[made++ % 256];
    **out = (events){session, 0, 0};
    return SUCCESS;
}

/* The event's GPU, of those so far; -1 when there is none of that number. */
static int event_of(int wanted, u64 *xid) {
    char text[1024], *at = text;
    look("xids", text, sizeof text);
    for (int index = 0; *at; index++) {
        int gpu = (int)strtol(at, &at, 10);
        *xid = *at == ':' ? strtoull(at + 1, &at, 10) : 0;
        if (index == wanted) return gpu;
        if (*at == ',') at++;
    }
    return -1;
}

int nvmlDeviceRegisterEvents(device *d, u64 types, events *set) {
    u64 xid;
    int code = of_device(d, "nvmlDeviceRegisterEvents");
    if (code) return code;
    if (!set || set->session != session || !(types & 8)) return INVALID_ARGUMENT;
    if (!set->registered)
        while (event_of(set->heard, &xid) >= 0) set->heard++;
    set->registered |= 1 << d->gpu;
    return SUCCESS;
}

int nvmlEventSetWait_v2(events *set, event *out, u32 milliseconds) {
    char key[64];
    u64 xid = 0;
    int gpu, code = failing("nvmlEventSetWait_v2");
    if (code) return code;
    if (!set || set->session != session || milliseconds) return INVALID_ARGUMENT; /* the daemon must not wait */
    while ((gpu = event_of(set->heard, &xid)) >= 0) {
        set->heard++;
        if (gpu < 8 && set->registered & (1 << gpu)) {
            *out = (event){&devices[session][gpu][0], 8, xid, 0, 0};
            return SUCCESS;
        }
    }
    for (gpu = 0; gpu < 8; gpu++) {
        snprintf(key, sizeof key, "%d.lost", gpu);
        if (set->registered & (1 << gpu) && number(key, 0)) return LOST;
    }
    return TIMEOUT;
}

int nvmlEventSetFree(events *set) {
    int code = failing("nvmlEventSetFree");
    if (code) return code;
    if (!set || set->session != session) return INVALID_ARGUMENT;
    set->session = 0;
    return SUCCESS;
}
