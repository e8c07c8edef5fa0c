Console.WriteLine($"agnes {typeof(Agnes.Protocol.Manifest).Assembly.GetName().Version?.ToString(3)}");
return 0;
