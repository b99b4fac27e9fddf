/*
 * A load generator for one core: closed loop (as many as the server answers) or open loop (requests leave at their intended
 * times, whatever the answers do, and latency counts from the intended time: no coordinated omission). HTTP/1.1 and WebSocket.
 *
 * In C, because the other side is a server that spends ten microseconds of processor time on a request: a generator in
 * JavaScript would be the slower of the two and would measure itself. Compiled on the spot by bench/generator/generator.ts, which
 * also writes its traffic files and reads its samples.
 *
 *   generator --port 8090 --traffic FILE --connections 32 --seconds 5 [--warmup 1] [--depth 1] [--rate 0] [--patience-ms 0]
 *             [--cycle 0] [--upgrade FILE] [--samples FILE] [--answers N] [--moments FILE]
 *             [--burst-rate 0 --burst-from 0 --burst-seconds 0] [--sleep 0]
 *
 * It spins, to send at its times and never to be woken; with --sleep 1 an open loop sleeps between them and is some hundredths of a millisecond late: for
 * servers that need its core too.
 *
 * A traffic file holds requests that are sent in their order and then from the beginning (the next cycle). Places in them are
 * patched before each sending, so that no call is ever sent twice (all integers little-endian):
 *
 *   u32 magic "ZTRF", u32 requests, u64 events a cycle, then for each request:
 *   u32 bytes, u32 calls in it, u32 answers it gets (0 or 1), u32 patches,
 *   for each patch: u32 offset, u32 kind, i64 event, f64 start, u64 range, u64 stride;
 *   then the bytes, padded to a multiple of 8
 *
 * With n = event + cycle * events a patch writes, by kind: 0: n in 12 decimal digits; 1: a hash of n, u64;
 * 2: the last nine digits of number(n); 3: number(n), f64; 4: intended send time + start ms, 13 digits of epoch
 * milliseconds; 5: the same, f64. number(n) is generatedNumber(start + n * stride mod range) of bench/lib/generate-numbers.ts.
 *
 * Samples: one u32 an answer, in order: time in tenths of a microsecond in 28 bits (26.8 s at most), above them 0: answered,
 * 1: answered "overloaded". Moments: one u32 a sample, when it was meant to be sent, in tenths of a millisecond of the measured time.
 * SIGINT ends the run at once. A burst is another rate for so many seconds of an open loop, from so many seconds after the warm-up on. A request that was given up unsent (--patience-ms after its intended time, as a switch does) makes no sample.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { DEPTH_MAX = 1024, IN_BYTES = 1 << 18, OUT_BYTES = 1 << 21, SAMPLES_MAX = 1 << 26, READY_MAX = 512 };
/* Wire code of the reason (docs/wire.md). */
enum { OVERLOADED = 20 };
enum { DECIMAL, HASH, DIGITS, NUMBER, DEADLINE_DIGITS, DEADLINE };
/* Answers that are still on their way at the end are waited for so long. */
static const uint64_t LAST_ANSWERS_NS = 2000000000ull;

struct patch { uint32_t offset, kind; uint64_t event; double start; uint64_t range, stride; };
struct request { uint32_t length, calls, answers, patches; const struct patch *patch; const char *bytes; };
struct waiting { uint64_t since; uint32_t calls; };
struct connection {
  int fd, upgraded, wants_write;
  uint32_t head, count;          /* of `waiting`, a ring: answers come in the order of the requests */
  struct waiting waiting[DEPTH_MAX];
  size_t in, out, sent;
  char *input, *output;
};

static struct {
  int port, connections, depth;
  double seconds, warmup, rate, patience_ms, burst_rate, burst_from, burst_seconds;
  int sleep;
  uint64_t cycle, answers;
  const char *traffic, *samples, *moments, *upgrade;
} options = { .connections = 32, .depth = 1, .seconds = 5 };

static struct request *requests;
static uint32_t request_count, next_request;
static uint64_t cycle, events;
static struct connection *connections;
static char *upgrade_bytes;
static size_t upgrade_length;
static int epoll_fd;
static uint32_t *samples, *moments;
static uint64_t sample_count, sample_overflow, never_sent;
static uint64_t start_ns, measure_ns, end_ns, idle_ns;
/* Of the measured time alone. */
static struct { uint64_t sent, calls, served_calls, answered, answered_calls, overloaded, errors, given_up, late_total_ns, late_max_ns, block, flag; } seen;
static uint64_t answer_hash = 1469598103934665603ull, hashed;
static int64_t epoch_offset_ns;
/* SIGINT ends the measured time early. */
static volatile sig_atomic_t interrupted;
static void interrupt(int signal) { interrupted = signal; }

static void fail(const char *what) {
  fprintf(stderr, "generator: %s%s%s\n", what, errno ? ": " : "", errno ? strerror(errno) : "");
  exit(1);
}

static uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000ull + t.tv_nsec;
}

static void read_options(int argc, char **argv) {
  for (int i = 1; i + 1 < argc; i += 2) {
    const char *name = argv[i], *value = argv[i + 1];
    if (!strcmp(name, "--port")) options.port = atoi(value);
    else if (!strcmp(name, "--traffic")) options.traffic = value;
    else if (!strcmp(name, "--connections")) options.connections = atoi(value);
    else if (!strcmp(name, "--depth")) options.depth = atoi(value);
    else if (!strcmp(name, "--seconds")) options.seconds = atof(value);
    else if (!strcmp(name, "--warmup")) options.warmup = atof(value);
    else if (!strcmp(name, "--rate")) options.rate = atof(value);
    else if (!strcmp(name, "--patience-ms")) options.patience_ms = atof(value);
    else if (!strcmp(name, "--cycle")) options.cycle = strtoull(value, NULL, 10);
    else if (!strcmp(name, "--answers")) options.answers = strtoull(value, NULL, 10);
    else if (!strcmp(name, "--samples")) options.samples = value;
    else if (!strcmp(name, "--moments")) options.moments = value;
    else if (!strcmp(name, "--burst-rate")) options.burst_rate = atof(value);
    else if (!strcmp(name, "--burst-from")) options.burst_from = atof(value);
    else if (!strcmp(name, "--burst-seconds")) options.burst_seconds = atof(value);
    else if (!strcmp(name, "--sleep")) options.sleep = atoi(value);
    else if (!strcmp(name, "--upgrade")) options.upgrade = value;
    else { errno = 0; fail("unknown option"); }
  }
  errno = 0;
  if (options.port == 0 || options.traffic == NULL) fail("--port and --traffic are needed");
  if (options.depth < 1 || options.depth > DEPTH_MAX) fail("--depth is 1 to 1024");
  if (options.connections < 1 || options.connections > 10000) fail("--connections is 1 to 10000");
}

static char *read_file(const char *name, size_t *length) {
  FILE *file = fopen(name, "rb");
  if (file == NULL) fail(name);
  fseek(file, 0, SEEK_END);
  *length = ftell(file);
  rewind(file);
  char *bytes = malloc(*length + 1);
  if (bytes == NULL || fread(bytes, 1, *length, file) != *length) fail(name);
  fclose(file);
  return bytes;
}

static void read_traffic(void) {
  size_t length;
  char *at = read_file(options.traffic, &length), *end = at + length;
  if (length < 16 || memcmp(at, "ZTRF", 4)) fail("the traffic file is not one");
  memcpy(&request_count, at + 4, 4);
  memcpy(&events, at + 8, 8);
  at += 16;
  requests = calloc(request_count, sizeof *requests);
  for (uint32_t i = 0; i < request_count; i++) {
    struct request *r = &requests[i];
    if (end - at < 16) fail("the traffic file is cut off");
    memcpy(r, at, 16);
    at += 16;
    r->patch = (const struct patch *)at;
    at += r->patches * sizeof(struct patch);
    r->bytes = at;
    at += (r->length + 7) / 8 * 8;
    if (at > end || r->length > OUT_BYTES / 2) fail("the traffic file is cut off, or a request is too long");
  }
}

static void put_digits(char *to, int width, uint64_t value) {
  for (int i = width - 1; i >= 0; i--, value /= 10) to[i] = '0' + value % 10;
}

static uint64_t scattered(uint64_t index) { return (index * 387420489ull + 123456789ull) % 1000000000ull; }

static uint64_t hash_of(uint64_t n) {
  n = (n ^ (n >> 30)) * 0xbf58476d1ce4e5b9ull;
  n = (n ^ (n >> 27)) * 0x94d049bb133111ebull;
  return n ^ (n >> 31);
}

static void apply(const struct patch *p, char *bytes, uint64_t intended_ns) {
  uint64_t n = p->event + cycle * events;
  char *to = bytes + p->offset;
  switch (p->kind) {
    case DECIMAL: put_digits(to, 12, n); break;
    case HASH: { uint64_t h = hash_of(n); memcpy(to, &h, 8); break; }
    case DIGITS: put_digits(to, 9, scattered((uint64_t)p->start + n * p->stride % p->range)); break;
    case NUMBER: { double number = 79000000000.0 + scattered((uint64_t)p->start + n * p->stride % p->range); memcpy(to, &number, 8); break; }
    default: {
      double ms = ((int64_t)intended_ns + epoch_offset_ns) / 1e6 + p->start;
      if (p->kind == DEADLINE) memcpy(to, &ms, 8);
      else put_digits(to, 13, (uint64_t)ms);
    }
  }
}

static void poll_for(struct connection *c, int wants_write) {
  struct epoll_event event = { .events = EPOLLIN | (wants_write ? EPOLLOUT : 0), .data.ptr = c };
  c->wants_write = wants_write;
  if (epoll_ctl(epoll_fd, EPOLL_CTL_MOD, c->fd, &event)) fail("epoll_ctl");
}

static void flush(struct connection *c) {
  while (c->sent < c->out) {
    ssize_t n = send(c->fd, c->output + c->sent, c->out - c->sent, MSG_NOSIGNAL);
    if (n < 0 && errno == EAGAIN) {
      if (!c->wants_write) poll_for(c, 1);
      return;
    }
    if (n < 0) fail("send");
    c->sent += n;
  }
  c->out = c->sent = 0;
  if (c->wants_write) poll_for(c, 0);
}

/* A request without an answer goes out with the next one that has one. Returns 0 when there is no room. */
static int put_request(struct connection *c, uint64_t intended_ns, uint64_t at_ns) {
  for (;;) {
    struct request *r = &requests[next_request];
    if (c->out + r->length > OUT_BYTES) return 0;
    char *to = c->output + c->out;
    memcpy(to, r->bytes, r->length);
    for (uint32_t i = 0; i < r->patches; i++) apply(&r->patch[i], to, intended_ns);
    c->out += r->length;
    if (++next_request == request_count) { next_request = 0; cycle++; }
    if (at_ns >= measure_ns) { seen.sent++; seen.calls += r->calls; }
    if (r->answers == 0) continue;
    c->waiting[(c->head + c->count++) % DEPTH_MAX] = (struct waiting){ intended_ns, r->calls };
    return 1;
  }
}

static void note_decision(const char *body, size_t length, uint64_t calls, int is_socket_binary) {
  const char *found;
  if (is_socket_binary) {
    for (uint64_t i = 0; i < calls && (i + 1) * 48 <= length; i++) {
      unsigned verdict = (unsigned char)body[i * 48 + 2];
      if (verdict == 1) seen.flag++;
      if (verdict == 2) seen.block++;
      if (memchr(body + i * 48 + 40, OVERLOADED, 8)) seen.overloaded++;
      answer_hash = (answer_hash ^ verdict) * 1099511628211ull;
      hashed++;
    }
    return;
  }
  const char *end = body + length;
  for (const char *at = body; (at = memmem(at, end - at, "\"overloaded\"", 12)) != NULL; at += 12) seen.overloaded++;
  while ((found = memmem(body, end - body, "\"decision\":\"", 12)) != NULL && found + 13 < end) {
    unsigned verdict = found[12] == 'a' ? 0 : found[12] == 'f' ? 1 : 2;
    if (verdict == 1) seen.flag++;
    if (verdict == 2) seen.block++;
    answer_hash = (answer_hash ^ verdict) * 1099511628211ull;
    hashed++;
    body = found + 13;
  }
}

/* Tenths of a microsecond that a sample can hold: 26.8 s. What failed, or was not answered, has as many. */
#define LONGEST ((1u << 28) - 1)

static void add_sample(uint64_t since, uint64_t tenths, int overloaded) {
  if (samples == NULL) return;
  if (tenths > LONGEST) tenths = LONGEST;
  if (sample_count == SAMPLES_MAX) { sample_overflow++; return; }
  if (moments != NULL) moments[sample_count] = since > measure_ns ? (uint32_t)((since - measure_ns) / 100000) : 0;
  samples[sample_count++] = (uint32_t)tenths | (uint32_t)overloaded << 28;
}

static void note_answer(struct connection *c, const char *body, size_t length, int is_error, int is_binary) {
  if (c->count == 0) { errno = 0; fail("an answer to nothing"); }
  struct waiting w = c->waiting[c->head];
  c->head = (c->head + 1) % DEPTH_MAX;
  c->count--;
  seen.served_calls += w.calls;
  uint64_t at = now();
  if (at < measure_ns || w.since > end_ns || (options.rate == 0 && at > end_ns)) return;
  if (is_error) {
    seen.errors++;
    if (w.calls > 0) add_sample(w.since, LONGEST, 0);
    return;
  }
  seen.answered++;
  seen.answered_calls += w.calls;
  uint64_t overloaded_before = seen.overloaded;
  if (w.calls > 0) note_decision(body, length, w.calls, is_binary);
  int overloaded = seen.overloaded > overloaded_before;
  if (w.calls > 0) add_sample(w.since, at > w.since ? (at - w.since) / 100 : 0, overloaded);
}

/* Returns the bytes of one whole HTTP answer at `at`, 0 when it is not whole yet. */
static size_t http_answer(struct connection *c, char *at, size_t left) {
  char *head = memmem(at, left, "\r\n\r\n", 4);
  if (head == NULL) return 0;
  size_t head_length = head + 4 - at, body = 0;
  if (!c->upgraded) {
    if (memcmp(at, "HTTP/1.1 101", 12)) { errno = 0; fail("the upgrade was refused"); }
    c->upgraded = 1;
    return head_length;
  }
  for (char *line = at; line < head; line = (char *)memchr(line, '\n', head + 2 - line) + 1) {
    if (!strncasecmp(line, "content-length:", 15)) { body = strtoul(line + 15, NULL, 10); break; }
  }
  if (left < head_length + body) return 0;
  note_answer(c, at + head_length, body, at[9] != '2', 0);
  return head_length + body;
}

static size_t socket_answer(struct connection *c, char *at, size_t left) {
  if (left < 2) return 0;
  unsigned char *b = (unsigned char *)at;
  size_t head = 2, length = b[1] & 127;
  if (length == 126) { head = 4; if (left < 4) return 0; length = b[2] << 8 | b[3]; }
  else if (length == 127) { head = 10; if (left < 10) return 0; length = 0; for (int i = 2; i < 10; i++) length = length << 8 | b[i]; }
  if (left < head + length) return 0;
  int opcode = b[0] & 15;
  if (opcode == 8) { errno = 0; fail("the server closed the WebSocket"); }
  if (opcode == 1 || opcode == 2) note_answer(c, at + head, length, 0, opcode == 2);
  return head + length;
}

static void take_answers(struct connection *c) {
  for (;;) {
    ssize_t n = recv(c->fd, c->input + c->in, IN_BYTES - c->in, 0);
    if (n < 0 && errno == EAGAIN) break;
    if (n < 0) fail("recv");
    if (n == 0) { errno = 0; fail("the server closed a connection"); }
    c->in += n;
    size_t at = 0, used;
    while (at < c->in) {
      int is_socket = options.upgrade != NULL && c->upgraded;
      used = is_socket ? socket_answer(c, c->input + at, c->in - at) : http_answer(c, c->input + at, c->in - at);
      if (used == 0) break;
      at += used;
    }
    memmove(c->input, c->input + at, c->in - at);
    c->in -= at;
    if (c->in == IN_BYTES) { errno = 0; fail("an answer is too long"); }
    if (n < 4096) break; /* most likely all that was there */
  }
}

static void connect_all(void) {
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(options.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
  epoll_fd = epoll_create1(0);
  connections = calloc(options.connections, sizeof *connections);
  for (int i = 0; i < options.connections; i++) {
    struct connection *c = &connections[i];
    c->input = malloc(IN_BYTES);
    c->output = malloc(OUT_BYTES);
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(c->fd, (struct sockaddr *)&address, sizeof address)) fail("connect");
    int one = 1;
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = c };
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, c->fd, &event)) fail("epoll_ctl");
    c->upgraded = upgrade_bytes == NULL;
    if (upgrade_bytes == NULL) continue;
    memcpy(c->output, upgrade_bytes, upgrade_length);
    c->out = upgrade_length;
    flush(c);
  }
  for (int i = 0; i < options.connections;) {
    struct epoll_event event;
    if (connections[i].upgraded) { i++; continue; }
    if (epoll_wait(epoll_fd, &event, 1, 5000) < 1) { errno = 0; fail("no answer to the upgrade"); }
    take_answers(event.data.ptr);
  }
}

static void closed_loop(struct connection *c, uint64_t at) {
  if (at >= end_ns) return;
  if (options.answers > 0 && seen.answered + c->count >= options.answers) return;
  while (c->count < (uint32_t)options.depth && put_request(c, at, at)) {}
  flush(c);
}

/* When a request is meant to be sent: at the rate, at another one during a burst. */
static uint64_t intended_at(uint64_t due) {
  double from = options.warmup + options.burst_from, before = options.rate * from, during = options.burst_rate * options.burst_seconds;
  double seconds;
  if (options.burst_rate == 0 || due < before) seconds = due / options.rate;
  else if (due < before + during) seconds = from + (due - before) / options.burst_rate;
  else seconds = from + options.burst_seconds + (due - before - during) / options.rate;
  return start_ns + (uint64_t)(seconds * 1e9);
}

/* Sends what is due; a request whose connections are all busy waits, and its waiting counts. Returns the number of the next. */
static uint64_t open_loop(uint64_t due, uint64_t at) {
  static int turn = 0;
  for (;; due++) {
    uint64_t intended = intended_at(due);
    if (intended > at || intended >= end_ns) return due;
    if (options.patience_ms > 0 && (at - intended) > options.patience_ms * 1e6) {
      if (intended >= measure_ns) seen.given_up++;
      continue;
    }
    int tried = 0;
    while (tried < options.connections && connections[turn].count >= (uint32_t)options.depth) { turn = (turn + 1) % options.connections; tried++; }
    if (tried == options.connections) return due;
    if (intended >= measure_ns) {
      seen.late_total_ns += at - intended;
      if (at - intended > seen.late_max_ns) seen.late_max_ns = at - intended;
    }
    if (!put_request(&connections[turn], intended, intended)) return due;
    flush(&connections[turn]);
    turn = (turn + 1) % options.connections;
  }
}

static int is_waiting(void) {
  for (int i = 0; i < options.connections; i++) if (connections[i].count > 0) return 1;
  return 0;
}

static int sleep_until(uint64_t then, uint64_t at, struct epoll_event *ready) {
  struct timespec rest = { .tv_nsec = then > at ? (then - at < 1000000 ? then - at : 1000000) : 0 };
  /* What is due already waits for a connection, or for its moment. */
  if (rest.tv_nsec == 0) rest.tv_nsec = 1000000;
  return epoll_pwait2(epoll_fd, ready, READY_MAX, &rest, NULL);
}

static double cpu_seconds(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void run(void) {
  struct epoll_event ready[READY_MAX];
  uint64_t due = 0;
  start_ns = now();
  measure_ns = start_ns + (uint64_t)(options.warmup * 1e9);
  end_ns = measure_ns + (uint64_t)(options.seconds * 1e9);
  if (options.rate == 0) for (int i = 0; i < options.connections; i++) closed_loop(&connections[i], now());
  for (;;) {
    uint64_t at = now();
    if (interrupted && at < end_ns) end_ns = at > measure_ns ? at : measure_ns;
    if (options.rate > 0) due = open_loop(due, at);
    if (at >= end_ns + LAST_ANSWERS_NS || (at >= end_ns && !is_waiting())) break;
    if (options.answers > 0 && seen.answered >= options.answers) break;
    /* It spins: a timer would be late by more than an answer takes, and who sleeps must be woken by the server, at its expense. */
    int n = options.sleep && options.rate > 0 && at < end_ns
      ? sleep_until(intended_at(due), at, ready)
      : epoll_wait(epoll_fd, ready, READY_MAX, at < end_ns ? 0 : 10);
    if (n == 0) idle_ns += now() - at;
    for (int i = 0; i < n; i++) {
      struct connection *c = ready[i].data.ptr;
      if (ready[i].events & EPOLLOUT) flush(c);
      take_answers(c);
      if (options.rate == 0) closed_loop(c, now());
    }
  }
  /* What was due and found no connection until the end has had no answer either. */
  for (; options.rate > 0 && intended_at(due) < end_ns; due++) {
    if (intended_at(due) < measure_ns) continue;
    never_sent++;
    add_sample(intended_at(due), LONGEST, 0);
  }
}

int main(int argc, char **argv) {
  read_options(argc, argv);
  read_traffic();
  cycle = options.cycle;
  if (options.upgrade) upgrade_bytes = read_file(options.upgrade, &upgrade_length);
  if (options.samples) samples = malloc((size_t)SAMPLES_MAX * 4);
  if (options.moments) moments = malloc((size_t)SAMPLES_MAX * 4);
  if (options.sleep) prctl(PR_SET_TIMERSLACK, 1000ul, 0ul, 0ul, 0ul);
  struct timespec wall;
  clock_gettime(CLOCK_REALTIME, &wall);
  epoch_offset_ns = (int64_t)wall.tv_sec * 1000000000ll + wall.tv_nsec - (int64_t)now();
  signal(SIGINT, interrupt);
  connect_all();
  double cpu_before = cpu_seconds();
  run();
  /* Spinning without anything to do is no work. */
  double cpu = cpu_seconds() - cpu_before - (options.sleep ? 0 : idle_ns / 1e9);
  uint64_t unanswered = never_sent;
  /* Who has the answers that were asked for does not wait for more. */
  int is_enough = options.answers > 0 && seen.answered >= options.answers;
  for (int i = 0; i < options.connections && !is_enough; i++) {
    struct connection *c = &connections[i];
    unanswered += c->count;
    for (; c->count > 0; c->count--, c->head = (c->head + 1) % DEPTH_MAX) {
      struct waiting w = c->waiting[c->head];
      if (w.calls > 0 && w.since >= measure_ns && w.since <= end_ns) add_sample(w.since, LONGEST, 0);
    }
  }
  if (options.samples) {
    FILE *file = fopen(options.samples, "wb");
    if (file == NULL || fwrite(samples, 4, sample_count, file) != sample_count || fclose(file)) fail(options.samples);
  }
  if (options.moments) {
    FILE *file = fopen(options.moments, "wb");
    if (file == NULL || fwrite(moments, 4, sample_count, file) != sample_count || fclose(file)) fail(options.moments);
  }
  printf("{\"seconds\":%g,\"sent\":%lu,\"calls\":%lu,\"servedCalls\":%lu,\"answered\":%lu,\"answeredCalls\":%lu,\"overloaded\":%lu,\"errors\":%lu,\"givenUp\":%lu,"
         "\"unanswered\":%lu,\"flagged\":%lu,\"blocked\":%lu,\"meanLateMs\":%.4f,\"maxLateMs\":%.3f,\"lostSamples\":%lu,\"nextCycle\":%lu,"
         "\"hash\":\"%016lx\",\"hashed\":%lu,\"cpuSeconds\":%.3f,\"beganMs\":%.1f}\n",
         (end_ns - measure_ns) / 1e9, seen.sent, seen.calls, seen.served_calls, seen.answered, seen.answered_calls, seen.overloaded, seen.errors, seen.given_up, unanswered,
         seen.flag, seen.block, seen.sent ? seen.late_total_ns / 1e6 / seen.sent : 0, seen.late_max_ns / 1e6, sample_overflow, cycle + 1,
         answer_hash, hashed, cpu, ((int64_t)measure_ns + epoch_offset_ns) / 1e6);
  return 0;
}
