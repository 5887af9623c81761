/* Assertions state what the code relies on; they never judge input from the network. */
#ifndef PN_ASSERT_H
#define PN_ASSERT_H

#ifdef __cplusplus
extern "C" {
#endif

/* Supplied by whoever links the core (addon, unit tests, fuzzers). Does not return. */
#if defined(__GNUC__) || defined(__clang__)
__attribute__((noreturn))
#endif
void pn_assert_fail(const char *expression, const char *file, int line);

#ifdef __cplusplus
}
#endif

#define PN_ASSERT(e) ((e) ? (void)0 : pn_assert_fail(#e, __FILE__, __LINE__))

#endif
