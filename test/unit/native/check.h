/* A test harness for the C core in one header. A test file is one executable:
 *
 *   #include "check.h"
 *   PN_TEST(header_is_fixed, "PNRP-2.2.1-3 the header's identifier is fixed") {
 *     PN_CHECK(x == y);
 *     PN_CHECK_EQ(actual, expected);
 *     PN_CHECK_BYTES(actual, expected, length);
 *   }
 *   PN_TEST_MAIN()
 *
 * `program --list` prints the titles, `program N` runs one, `program` runs all. The files are
 * compiled and run by native.test.ts, with AddressSanitizer and UBSan where the compiler has them,
 * and by ctest under native/CMakeLists.txt. */
#ifndef PN_CHECK_H
#define PN_CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/assert.h"

typedef struct {
  const char *title;
  void (*run)(void);
} pn_check_case_t;

static pn_check_case_t pn_check_cases[512];
static int pn_check_count;
static int pn_check_failures;

static inline void pn_check_register(const char *title, void (*run)(void)) {
  if (pn_check_count == (int)(sizeof pn_check_cases / sizeof pn_check_cases[0])) {
    fprintf(stderr, "too many tests in one file\n");
    abort();
  }
  pn_check_cases[pn_check_count++] = (pn_check_case_t){title, run};
}

#define PN_TEST(name, title)                                                                       \
  static void name(void);                                                                          \
  __attribute__((constructor)) static void name##_register(void) {                                 \
    pn_check_register(title, name);                                                                \
  }                                                                                                \
  static void name(void)

#define PN_CHECK_FAIL(...)                                                                         \
  do {                                                                                             \
    pn_check_failures++;                                                                           \
    fprintf(stderr, "%s:%d: ", __FILE__, __LINE__);                                                \
    fprintf(stderr, __VA_ARGS__);                                                                  \
    fprintf(stderr, "\n");                                                                         \
  } while (0)

#define PN_CHECK(condition)                                                                        \
  do {                                                                                             \
    if (!(condition))                                                                              \
      PN_CHECK_FAIL("not true: %s", #condition);                                                   \
  } while (0)

/* Integers of any type that fits long long. */
#define PN_CHECK_EQ(actual, expected)                                                              \
  do {                                                                                             \
    long long pn_actual = (long long)(actual), pn_expected = (long long)(expected);                \
    if (pn_actual != pn_expected)                                                                  \
      PN_CHECK_FAIL("%s is %lld, expected %lld", #actual, pn_actual, pn_expected);                 \
  } while (0)

#define PN_CHECK_BYTES(actual, expected, length)                                                   \
  do {                                                                                             \
    size_t pn_at = pn_check_difference((actual), (expected), (size_t)(length));                    \
    if (pn_at < (size_t)(length))                                                                  \
      PN_CHECK_FAIL("%s differs from %s at byte %zu", #actual, #expected, pn_at);                  \
  } while (0)

static inline size_t pn_check_difference(const void *a, const void *b, size_t length) {
  size_t at = 0;
  while (at < length && ((const unsigned char *)a)[at] == ((const unsigned char *)b)[at])
    at++;
  return at;
}

/* Bytes of a hex text (blanks allowed); returns how many. Aborts when they do not fit. */
static inline size_t pn_check_hex(const char *text, unsigned char *out, size_t size) {
  size_t count = 0;
  for (const char *p = text; *p != 0;) {
    unsigned value;
    if (*p == ' ' || *p == '\n') {
      p++;
      continue;
    }
    if (count == size || sscanf(p, "%2x", &value) != 1) {
      fprintf(stderr, "bad or too long hex text\n");
      abort();
    }
    out[count++] = (unsigned char)value;
    p += 2;
  }
  return count;
}

static inline int pn_check_main(int argc, char **argv) {
  if (argc > 1 && strcmp(argv[1], "--list") == 0) {
    for (int i = 0; i < pn_check_count; i++)
      printf("%s\n", pn_check_cases[i].title);
    return 0;
  }
  int first = argc > 1 ? atoi(argv[1]) : 0;
  int last = argc > 1 ? first + 1 : pn_check_count;
  if (first < 0 || last > pn_check_count || first >= last) {
    fprintf(stderr, "no such test\n");
    return 2;
  }
  for (int i = first; i < last; i++)
    pn_check_cases[i].run();
  return pn_check_failures == 0 ? 0 : 1;
}

#define PN_TEST_MAIN()                                                                             \
  void pn_assert_fail(const char *expression, const char *file, int line) {                        \
    fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, expression);                      \
    abort();                                                                                       \
  }                                                                                                \
  int main(int argc, char **argv) { return pn_check_main(argc, argv); }

#endif
