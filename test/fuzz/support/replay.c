/* Runs a fuzz target once over each file named on the command line, without libFuzzer: the way
 * `npm test` replays the corpus. Each input is copied into a block of its exact size, so that
 * AddressSanitizer sees a read of one byte too many. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *name) {
  FILE *file = fopen(name, "rb");
  if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
    fprintf(stderr, "cannot read %s\n", name);
    return 1;
  }
  size_t size = (size_t)ftell(file);
  rewind(file);
  uint8_t *data = malloc(size > 0 ? size : 1);
  if (data == NULL || fread(data, 1, size, file) != size) {
    fprintf(stderr, "cannot read %s\n", name);
    return 1;
  }
  fclose(file);
  uint8_t *exact = realloc(data, size > 0 ? size : 1);
  LLVMFuzzerTestOneInput(size > 0 ? exact : NULL, size);
  free(exact);
  return 0;
}

int main(int argc, char **argv) {
  int failed = 0;
  for (int i = 1; i < argc; i++)
    failed |= replay(argv[i]);
  return failed;
}
