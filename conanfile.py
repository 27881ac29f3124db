"""Builds tapline from this tree as a Conan 2 package (`conan create .`). OpenBLAS, zlib, Jansson and xxHash are those of the system."""

import os
import re

from conan import ConanFile
from conan.errors import ConanInvalidConfiguration
from conan.tools.cmake import CMake, CMakeToolchain, cmake_layout
from conan.tools.files import copy, load
from conan.tools.system.package_manager import Apt

required_conan_version = ">=2.4"


class Tapline(ConanFile):
    name = "tapline"
    description = "Small one-dimensional convolutional networks on series, in C"
    license = "MIT"
    topics = ("time-series", "convolutional-neural-network")
    package_type = "shared-library"
    languages = "C"
    settings = "os", "arch", "compiler", "build_type"
    exports_sources = [
        "CMakeLists.txt", "LICENSE", "README.md", "CHANGELOG.md", "CONTRIBUTING.md",
        "bench/*", "cmake/*", "docs/*", "examples/*", "include/*", "layers/*", "optim/*", "src/*",
    ]
    test_package_folder = "tests/conan"

    def set_version(self):
        lists = load(self, os.path.join(self.recipe_folder, "CMakeLists.txt"))
        self.version = re.search(r"project\(tapline VERSION ([\d.]+)", lists)[1]

    def layout(self):
        cmake_layout(self)

    def validate(self):
        if self.settings.compiler not in ("gcc", "clang"):
            raise ConanInvalidConfiguration(f"tapline is built with gcc or clang; the compiler of this profile is {self.settings.compiler}")

    def system_requirements(self):
        Apt(self).install(["libopenblas-dev", "zlib1g-dev", "libjansson-dev", "libxxhash-dev", "pkg-config"], check=True)

    def generate(self):
        toolchain = CMakeToolchain(self)
        toolchain.user_presets_path = False
        for part in ("TESTS", "EXAMPLES", "MPI"):
            toolchain.cache_variables[f"TAPLINE_{part}"] = False
        toolchain.generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        CMake(self).install()
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))

    def package_info(self):
        self.cpp_info.set_property("cmake_find_mode", "none") # find_package(tapline) reads what `cmake --install` has written
        for name in ("tapline", "tapline_f64"):
            library = self.cpp_info.components[name]
            library.libs = [name]
            library.builddirs = ["lib/cmake/tapline"]
            library.defines = ["TAPLINE_F64"] if name == "tapline_f64" else []
            library.set_property("pkg_config_name", name)
