#include "check.h"

#include "core/peernet.h"

PN_TEST(version_is_the_package_version, "the core reports the version it was built with") {
  PN_CHECK(strcmp(pn_version(), PN_VERSION) == 0);
}

PN_TEST_MAIN()
