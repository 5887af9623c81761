#include "core/err.h"

#include <stddef.h>

static const char *const codes[] = {
    "OK",
#define PN_ERR(name, text) "ERR_PEERNET_" #name,
#include "core/err.def"
#undef PN_ERR
};

static const char *const texts[] = {
    "no error",
#define PN_ERR(name, text) text,
#include "core/err.def"
#undef PN_ERR
};

const char *pn_err_code(uint32_t code) {
  return code < PN_ERR_COUNT ? codes[code] : NULL;
}

const char *pn_err_text(uint32_t code) {
  return code < PN_ERR_COUNT ? texts[code] : NULL;
}
