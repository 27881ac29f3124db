"""Builds an example with the Conan package, with the shared and the static library, and runs both; runs the command of the package."""

import os

from conan import ConanFile
from conan.tools.build import can_run
from conan.tools.cmake import CMake, cmake_layout


class TaplineTest(ConanFile):
    settings = "os", "arch", "compiler", "build_type"
    generators = "CMakeToolchain", "VirtualRunEnv"

    def requirements(self):
        self.requires(self.tested_reference_str, run=True)

    def layout(self):
        cmake_layout(self)

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def test(self):
        if can_run(self):
            for program in ("train_shared", "train_static"):
                self.run(os.path.join(self.cpp.build.bindir, program), env="conanrun")
            self.run("tapline --version", env="conanrun")
