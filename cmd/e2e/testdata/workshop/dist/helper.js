self.addTwo = n => n + 2;
