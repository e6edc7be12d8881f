from monitor.lazy_import import bare

# Litestar's choice of a debugger, with some 0.4 MB behind it; here, to come before Litestar's first import.
bare("pdb")
