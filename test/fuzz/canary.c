/* A target that must fail: it proves that the fuzzing set-up can. It reads past its input when
 * that begins with "PNRP", which libFuzzer finds within seconds. */
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  volatile uint8_t sink = 0;
  if (size >= 4 && data[0] == 'P' && data[1] == 'N' && data[2] == 'R' && data[3] == 'P')
    sink = data[size];
  (void)sink;
  return 0;
}
