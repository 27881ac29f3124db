# installed by H6
