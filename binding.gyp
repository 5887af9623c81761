{
  "variables": {
    # native/sources.json is the one list of sources; native/CMakeLists.txt reads it too.
    "pn_version%": "<!(node -p \"require('./package.json').version\")",
    "pn_sanitize%": 0,
    # Warnings are errors in a clone, not in the package: a newer compiler must not stop a user.
    "pn_werror%": "<!(node -p \"Number(require('fs').existsSync('test'))\")",
  },
  "target_defaults": {
    "include_dirs": ["native"],
    "conditions": [
      ["pn_sanitize==1", {
        "cflags": ["-fsanitize=address,undefined", "-fno-omit-frame-pointer", "-g"],
        "ldflags": ["-fsanitize=address,undefined"],
      }],
      ["pn_werror==1", {
        "cflags_c": ["-Werror"],
        "xcode_settings": {"GCC_TREAT_WARNINGS_AS_ERRORS": "YES"},
      }],
    ],
  },
  "targets": [
    {
      "target_name": "peernet_core",
      "type": "static_library",
      "sources": ["<!@(node -p \"require('./native/sources.json').core.map(f=>'native/'+f).join(' ')\")"],
      "defines": ["PN_VERSION=\"<(pn_version)\""],
      "cflags_c": ["-std=c11", "-O2", "-Wall", "-Wextra", "-Wconversion", "-Wshadow"],
      "cflags": ["-fPIC", "-fvisibility=hidden"],
      "xcode_settings": {
        "OTHER_CFLAGS": ["-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-fvisibility=hidden"],
      },
      "msvs_settings": {
        "VCCLCompilerTool": {"AdditionalOptions": ["/std:c11", "/W4"]},
      },
    },
    {
      "target_name": "peernet_udp",
      "type": "static_library",
      "sources": ["<!@(node -p \"require('./native/sources.json').udp.map(f=>'native/'+f).join(' ')\")"],
      # libuv's headers want POSIX types, recvmmsg and sendmmsg are GNU.
      "defines": ["_GNU_SOURCE"],
      "cflags_c": ["-std=c11", "-O2", "-Wall", "-Wextra", "-Wshadow"],
      "cflags": ["-fPIC", "-fvisibility=hidden"],
      "msvs_settings": {
        "VCCLCompilerTool": {"AdditionalOptions": ["/std:c11", "/W4"]},
      },
    },
    {
      "target_name": "peernet",
      "dependencies": ["peernet_core", "peernet_udp"],
      "sources": [
        "<!@(node -p \"require('./native/sources.json').crypto.map(f=>'native/'+f).join(' ')\")",
        "<!@(node -p \"require('./native/sources.json').binding.map(f=>'native/'+f).join(' ')\")",
      ],
      "include_dirs": ["<!@(node -p \"require('node-addon-api').include\")"],
      "defines": ["NAPI_VERSION=9", "NAPI_DISABLE_CPP_EXCEPTIONS"],
      "cflags_c": ["-std=c11", "-O2", "-Wall", "-Wextra", "-Wshadow"],
      "cflags_cc": ["-O2", "-Wall", "-Wextra"],
      "cflags": ["-fvisibility=hidden"],
      "xcode_settings": {
        "GCC_ENABLE_CPP_EXCEPTIONS": "NO",
        "CLANG_CXX_LIBRARY": "libc++",
        "OTHER_CFLAGS": ["-fvisibility=hidden"],
      },
      "msvs_settings": {"VCCLCompilerTool": {"ExceptionHandling": 0}},
      "conditions": [["OS=='win'", {"libraries": ["-lws2_32.lib"]}]],
    },
  ],
}
