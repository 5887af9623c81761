/* The rounds of SHA-2 over vectors of lanes. Whoever includes this defines TARGET, VEC, LANES,
 * NAME, STATE (pn_lanes32_t or pn_lanes64_t), ROUNDS, BLOCK (bytes), K (the constants), LOAD_K(x),
 * ADD, XOR3, CH, MAJ, LOAD_BLOCK(w, at) and the functions of FIPS 180-4 4.1.2 or 4.1.3: SIGMA0,
 * SIGMA1, GAMMA0, GAMMA1. */

#define ROUND(a, b, c, d, e, f, g, h, t, i)                                                        \
  do {                                                                                             \
    VEC one = ADD(ADD(ADD(h, SIGMA1(e)), ADD(CH(e, f, g), LOAD_K(K[(t) + (i)]))), w[i]);           \
    d = ADD(d, one);                                                                               \
    h = ADD(one, ADD(SIGMA0(a), MAJ(a, b, c)));                                                    \
  } while (0)

#define EIGHT(t, i)                                                                                \
  ROUND(a, b, c, d, e, f, g, h, t, (i) + 0);                                                       \
  ROUND(h, a, b, c, d, e, f, g, t, (i) + 1);                                                       \
  ROUND(g, h, a, b, c, d, e, f, t, (i) + 2);                                                       \
  ROUND(f, g, h, a, b, c, d, e, t, (i) + 3);                                                       \
  ROUND(e, f, g, h, a, b, c, d, t, (i) + 4);                                                       \
  ROUND(d, e, f, g, h, a, b, c, t, (i) + 5);                                                       \
  ROUND(c, d, e, f, g, h, a, b, t, (i) + 6);                                                       \
  ROUND(b, c, d, e, f, g, h, a, t, (i) + 7)

#define NEXT(i)                                                                                    \
  w[i] = ADD(ADD(w[i], GAMMA0(w[((i) + 1) & 15])),                                                 \
             ADD(w[((i) + 9) & 15], GAMMA1(w[((i) + 14) & 15])))

#define NEXT_FOUR(i)                                                                               \
  NEXT(i);                                                                                         \
  NEXT((i) + 1);                                                                                   \
  NEXT((i) + 2);                                                                                   \
  NEXT((i) + 3)

TARGET void NAME(STATE *state, const uint8_t *const first[LANES], size_t blocks) {
  VEC s[8], w[16];
  const uint8_t *at[LANES];
  for (int i = 0; i < LANES; i++)
    at[i] = first[i];
  for (int i = 0; i < 8; i++)
    s[i] = *(const VEC *)(const void *)state->w[i];
  for (; blocks > 0; blocks--) {
    VEC a = s[0], b = s[1], c = s[2], d = s[3], e = s[4], f = s[5], g = s[6], h = s[7];
    LOAD_BLOCK(w, at);
    for (int i = 0; i < LANES; i++)
      at[i] += BLOCK;
    EIGHT(0, 0);
    EIGHT(0, 8);
    for (int t = 16; t < ROUNDS; t += 16) {
      NEXT_FOUR(0);
      NEXT_FOUR(4);
      EIGHT(t, 0);
      NEXT_FOUR(8);
      NEXT_FOUR(12);
      EIGHT(t, 8);
    }
    s[0] = ADD(s[0], a);
    s[1] = ADD(s[1], b);
    s[2] = ADD(s[2], c);
    s[3] = ADD(s[3], d);
    s[4] = ADD(s[4], e);
    s[5] = ADD(s[5], f);
    s[6] = ADD(s[6], g);
    s[7] = ADD(s[7], h);
  }
  for (int i = 0; i < 8; i++)
    *(VEC *)(void *)state->w[i] = s[i];
}
