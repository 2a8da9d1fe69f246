# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the native kernel zkmargin._kernel from prover/native with g++ alone.

The kernel is optional: where no compiler is found the package installs without it, hashes in Python (slowly)
and proves with the groth16py package; development keys alone want the kernel.
"""

from pathlib import Path

from pybind11.setup_helpers import ParallelCompile, Pybind11Extension, build_ext
from setuptools import setup

SOURCES = Path("prover/native")

ParallelCompile("ZKMARGIN_BUILD_JOBS", default=2).install()

setup(
    package_dir={"": "prover"},
    ext_modules=[
        Pybind11Extension(
            "zkmargin._kernel",
            sorted(str(path) for path in SOURCES.glob("*.cpp")),
            depends=sorted(str(path) for path in SOURCES.glob("*.hpp")),
            cxx_std=17,
            extra_compile_args=["-O3", "-g0", "-pthread", "-Wall", "-Wextra"],
            extra_link_args=["-pthread"],
            optional=True,
        )
    ],
    cmdclass={"build_ext": build_ext},
)
