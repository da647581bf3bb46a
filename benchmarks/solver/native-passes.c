// What native code would make of the solver's passes: AVX2, fused multiply-adds, prefetch and, when asked, huge pages.
//
//   cc -O3 -mavx2 -mfma -pthread native-passes.c -o passes && ./passes PREFIX users items k threads hugepages(0|1)
//
// For every user and every item of the matrix at PREFIX (see cached-interactions.ts) it does the passes of one warm conjugate-gradient step over the row's entries: residual (inner product and update), then inner
// products along the residual, with the fixed side in bfloat16, twice the solver's bytes, and in order of activity, as the solver holds it.
// Prints the median processor seconds a thread of a whole sweep over both sides.
#include <immintrin.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

typedef struct { int64_t rows; int64_t *indptr; uint32_t *indices; uint16_t *z; float *x; } Side;

static int k, threads;
static Side sides[2];
static _Atomic int64_t next;

static double now(void) { struct timespec t; clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t); return t.tv_sec + t.tv_nsec * 1e-9; }

static void *allocate(size_t bytes, int huge) {
  void *p = mmap(0, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) { perror("mmap"); exit(1); }
  if (huge) madvise(p, bytes, MADV_HUGEPAGE);
  return p;
}

static void *read_file(const char *prefix, const char *suffix, size_t bytes) {
  char name[4096];
  snprintf(name, sizeof name, "%s%s", prefix, suffix);
  FILE *file = fopen(name, "rb");
  void *data = malloc(bytes);
  if (!file || fread(data, 1, bytes, file) != bytes) { fprintf(stderr, "%s: not %zu bytes\n", name, bytes); exit(1); }
  fclose(file);
  return data;
}

static inline __m256 widen(const uint16_t *h) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)h)), 16));
}

static inline float dot(const uint16_t *z, const float *v) {
  __m256 a = _mm256_setzero_ps(), b = a;
  for (int t = 0; t < k; t += 16) {
    a = _mm256_fmadd_ps(widen(z + t), _mm256_loadu_ps(v + t), a);
    b = _mm256_fmadd_ps(widen(z + t + 8), _mm256_loadu_ps(v + t + 8), b);
  }
  a = _mm256_add_ps(a, b);
  __m128 s = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
  s = _mm_add_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_add_ss(s, _mm_shuffle_ps(s, s, 1)));
}

static void solve(const Side *side, int64_t row, float *r) {
  const int64_t begin = side->indptr[row], end = side->indptr[row + 1], last = side->indptr[side->rows];
  float *x = side->x + row * k;
  memset(r, 0, k * sizeof *r);
  for (int64_t e = begin; e < end; e++) {
    if (e + 12 < last) {
      const char *ahead = (const char *)(side->z + (size_t)side->indices[e + 12] * k);
      for (int t = 0; t < 2 * k; t += 64) _mm_prefetch(ahead + t, _MM_HINT_T0);
    }
    const uint16_t *z = side->z + (size_t)side->indices[e] * k;
    const __m256 s = _mm256_set1_ps(1.5f - 0.5f * dot(z, x));
    for (int t = 0; t < k; t += 8) _mm256_storeu_ps(r + t, _mm256_fmadd_ps(s, widen(z + t), _mm256_loadu_ps(r + t)));
  }
  float rr = 0, curvature = 0;
  for (int t = 0; t < k; t++) rr += r[t] * r[t];
  for (int64_t e = begin; e < end; e++) {
    const float d = dot(side->z + (size_t)side->indices[e] * k, r);
    curvature += 0.5f * d * d;
  }
  const float alpha = rr / (rr + curvature + 1e-20f);
  for (int t = 0; t < k; t++) x[t] += alpha * r[t];
}

static void *work(void *argument) {
  const Side *side = argument;
  float *r = aligned_alloc(64, k * sizeof *r);
  for (;;) {
    const int64_t from = next;
    int64_t expected = from;
    if (from >= side->rows) break;
    if (!__atomic_compare_exchange_n(&next, &expected, from + 64, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) continue;
    for (int64_t row = from; row < from + 64 && row < side->rows; row++) solve(side, row, r);
  }
  free(r);
  return 0;
}

static int64_t *counts_of_sort;
static int by_count(const void *a, const void *b) {
  const int64_t x = counts_of_sort[*(const uint32_t *)a], y = counts_of_sort[*(const uint32_t *)b];
  return x < y ? 1 : x > y ? -1 : 0;
}

/** The side whose rows are `rows`, reading Z of `columns` rows by falling activity. */
static Side make_side(int64_t rows, int64_t columns, int64_t *indptr, uint32_t *indices, int huge) {
  const int64_t entries = indptr[rows];
  int64_t *count = calloc(columns, sizeof *count);
  uint32_t *order = malloc(columns * sizeof *order), *rank = malloc(columns * sizeof *rank);
  for (int64_t e = 0; e < entries; e++) count[indices[e]]++;
  for (int64_t c = 0; c < columns; c++) order[c] = c;
  counts_of_sort = count;
  qsort(order, columns, sizeof *order, by_count);
  for (int64_t c = 0; c < columns; c++) rank[order[c]] = c;
  Side side = {rows, indptr, malloc(entries * 4), allocate(columns * k * 2, huge), allocate(rows * k * 4, huge)};
  for (int64_t e = 0; e < entries; e++) side.indices[e] = rank[indices[e]];
  for (int64_t i = 0; i < columns * k; i++) side.z[i] = 0x3c00 + (i * 2654435761u >> 24 & 0xff) + (i & 1 ? 0x8000 : 0);
  return side;
}

static int ascending(const void *a, const void *b) { return *(double *)a < *(double *)b ? -1 : *(double *)a > *(double *)b; }

int main(int argc, char **argv) {
  if (argc != 7) { fprintf(stderr, "usage: passes PREFIX users items k threads hugepages\n"); return 2; }
  const int64_t users = atoll(argv[2]), items = atoll(argv[3]);
  k = atoi(argv[4]); threads = atoi(argv[5]);
  const int huge = atoi(argv[6]);
  int64_t *indptr = read_file(argv[1], ".indptr.i64", (users + 1) * 8);
  const int64_t entries = indptr[users];
  uint32_t *indices = read_file(argv[1], ".indices.i32", entries * 4);
  int64_t *columns = calloc(items + 2, sizeof *columns);
  uint32_t *rows = malloc(entries * 4);
  for (int64_t e = 0; e < entries; e++) columns[indices[e] + 2]++;
  for (int64_t c = 0; c < items; c++) columns[c + 2] += columns[c + 1];
  for (int64_t u = 0; u < users; u++) for (int64_t e = indptr[u]; e < indptr[u + 1]; e++) rows[columns[indices[e] + 1]++] = u;
  sides[0] = make_side(users, items, indptr, indices, huge);
  sides[1] = make_side(items, users, columns, rows, huge);
  double seconds[7];
  for (int run = 0; run < 7; run++) {
    const double start = now();
    for (int s = 0; s < 2; s++) {
      pthread_t thread[256];
      next = 0;
      for (int t = 0; t < threads; t++) pthread_create(&thread[t], 0, work, &sides[s]);
      for (int t = 0; t < threads; t++) pthread_join(thread[t], 0);
    }
    seconds[run] = (now() - start) / threads;
  }
  qsort(seconds, 7, sizeof *seconds, ascending);
  printf("%f\n", seconds[3]);
  return 0;
}
